// What the tests of the embedded start share: folders, servers that are stopped and looked for afterwards, refusals.
import { chmod, chown, mkdtemp, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterEach, expect, test } from 'vitest';
import { systemRandom } from '../../src/clock.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embeddedPostgres.ts';
import { firstClosedFolder, foldersDownTo } from '../../src/embedded/identity.ts';
import { killAllServices, untilNothingRuns } from './embeddedProcesses.ts';

export const nobody = { uid: 65534, gid: 65534 };
export const somebody = { uid: 1, gid: 1 }; // has a name on every Linux (bin or daemon), which initdb asks for
export const isRoot = process.getuid?.() === 0;
const repository = fileURLToPath(new URL('../..', import.meta.url));
const isOpen = firstClosedFolder(await foldersDownTo(await realpath(repository)), nobody) === null;

const folders: string[] = [];
const servers: EmbeddedPostgres[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.stop()));
  await killAllServices();
  for (const folder of folders.splice(0)) {
    await untilNothingRuns(folder);
    await rm(folder, { recursive: true, force: true });
  }
});

/** A new, empty folder of mode 0700. */
export async function newFolder(owner?: { uid: number; gid: number }): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'paylatch-test-embedded-')));
  if (owner) await chown(folder, owner.uid, owner.gid);
  folders.push(folder);
  return folder;
}

/** One that may lie above a DATA_DIR: root's server must get through. */
export async function passableFolder(): Promise<string> {
  const folder = await newFolder();
  await chmod(folder, 0o711);
  return folder;
}

export async function start(dataDir: string, extraSettings: Record<string, string> = {}): Promise<EmbeddedPostgres> {
  const log = { info: () => {}, warn: () => {} };
  const env = { PATH: process.env.PATH ?? '' };
  const server = await startEmbeddedPostgres({ dataDir, random: systemRandom, log, env, extraSettings });
  servers.push(server);
  return server;
}

export async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => new Error('was not refused'),
    error => error,
  );
  expect(error.name, error.stack).toBe('EmbeddedStartRefused');
  expect(error.message).toMatch(/^\S[^\n]*\.$/);
  return error.message;
}

export async function query(url: string | undefined, statement: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url ?? '', { max: 1, onnotice: () => {} });
  try {
    return Array.from(await sql.unsafe(statement));
  } finally {
    await sql.end();
  }
}

export const logOf = (dataDir: string) => readFile(join(dataDir, 'postgres.log'), 'utf8');
export const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

/** A test that needs root; elsewhere it is skipped where nobody can overlook it. */
export function testAsRoot(name: string, body: () => Promise<void>): void {
  if (isRoot && isOpen) {
    test(name, body);
    return;
  }
  const why = isRoot ? 'user nobody cannot enter this clone' : 'not run as root';
  console.warn(`SKIPPED (${why}): ${name}`);
  test.skip(`${name} (skipped: ${why})`, body);
}
