// One PostgreSQL for the whole test run: our own embedded start by default, so that every run also proves it, or the
// server of PAYLATCH_TEST_DATABASE_URL (an admin's URL) to run the suite against another version.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { systemRandom } from '../../src/clock.ts';
import { startEmbeddedPostgres } from '../../src/embedded/embeddedPostgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of a database whose user may create databases. */
    postgresUrl: string;
    /** Path of the server's log, '' when the server is not ours. */
    postgresLog: string;
  }
}

// Every test file has pools of its own, and vitest runs as many files at once as there are cores.
const MAX_CONNECTIONS = '300';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.PAYLATCH_TEST_DATABASE_URL;
  if (given) {
    project.provide('postgresUrl', given);
    project.provide('postgresLog', '');
    return async () => {};
  }
  const asked = isolation(process.env.PAYLATCH_TEST_ISOLATION);
  const dataDir = await mkdtemp(join(tmpdir(), 'paylatch-test-server-'));
  const quiet = { info: () => {}, warn: (fields: object, message: string) => console.warn(message, fields) };
  const removeFolder = () => rm(dataDir, { recursive: true, force: true });
  const server = await startEmbeddedPostgres({
    dataDir,
    random: systemRandom,
    log: quiet,
    env: { PATH: process.env.PATH ?? '' },
    extraSettings: { max_connections: MAX_CONNECTIONS, ...asked },
  }).catch(async error => {
    await removeFolder();
    throw error;
  });
  project.provide('postgresUrl', server.url);
  project.provide('postgresLog', join(dataDir, 'postgres.log'));
  return async () => {
    await server.stop();
    await removeFolder();
  };
}

/** The whole suite under another isolation level; a misspelt one must not pass for a run under it. */
function isolation(level: string | undefined): Record<string, string> {
  if (!level) return {};
  if (level !== 'serializable') throw new Error(`PAYLATCH_TEST_ISOLATION is "${level}"; only "serializable" is known.`);
  return { default_transaction_isolation: 'serializable' };
}
