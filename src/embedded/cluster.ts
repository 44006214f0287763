// Makes the database's files once. Everything happens in a folder of another name that is renamed at the very end:
// `pg` either is a finished cluster with its password and database, or does not exist.
import { chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RandomSource } from '../clock.ts';
import type { Binaries } from './binaries.ts';
import type { ServerIdentity } from './identity.ts';
import { startTied, type TiedProgram } from './lifeline.ts';
import type { ServerLog } from './serverLog.ts';
import { EmbeddedStartRefused } from './startRefused.ts';

/** Name of the role and of the database the service uses. */
export const DATABASE_NAME = 'paylatch';

export type ClusterPlace = {
  dataDir: string;
  databaseFolder: string;
  binaries: Binaries;
  env: Record<string, string>;
  runAs: ServerIdentity | null;
  log: ServerLog;
  random: RandomSource;
};

const PASSWORD_FILE = 'postgres.password';
const PASSWORD_BYTES = 24; // 192 bits: nobody guesses it, and it is never typed
const STAGING_PREFIX = 'initdb-';
// initdb takes half a second; on a slow disk its sync at the end takes tens. Past this it hangs.
const INITDB_LIMIT_MS = 180_000;

/** The major version of the cluster in the folder, or null when there is none. */
export async function clusterVersion(databaseFolder: string): Promise<string | null> {
  try {
    return (await readFile(join(databaseFolder, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const holds = await readdir(databaseFolder).catch(() => []);
  if (holds.length === 0) return null;
  throw new EmbeddedStartRefused(
    `${databaseFolder} holds files but no PostgreSQL database: move it away and start again.`,
  );
}

/** Makes the cluster and its password. Throws EmbeddedStartRefused with initdb's own words when that fails. */
export async function createCluster(place: ClusterPlace): Promise<void> {
  const password = await ensurePassword(place);
  const staging = join(place.dataDir, `${STAGING_PREFIX}${Buffer.from(place.random(6)).toString('hex')}`);
  await mkdir(staging, { mode: 0o700 });
  try {
    const pwfile = join(staging, 'password');
    await writeFile(pwfile, `${password}\n`, { mode: 0o600 });
    if (place.runAs) for (const path of [staging, pwfile]) await chown(path, place.runAs.uid, place.runAs.gid);
    const unfinished = join(staging, 'pg');
    await initdb(place, unfinished, pwfile);
    await createDatabase(place, unfinished, join(staging, 'create.sql'));
    await rename(unfinished, place.databaseFolder);
    await syncFolder(place.dataDir);
  } finally {
    await removeFolder(staging);
  }
}

/** Removes what starts that were killed half way have left. */
export async function removeUnfinished(dataDir: string): Promise<void> {
  const names = (await readdir(dataDir)).filter(name => name.startsWith(STAGING_PREFIX));
  await Promise.all(names.map(name => removeFolder(join(dataDir, name))));
}

/** The password of the existing cluster. */
export async function readPassword(dataDir: string): Promise<string> {
  const path = join(dataDir, PASSWORD_FILE);
  const password = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (password !== '') return password;
  throw new EmbeddedStartRefused(
    `${path} is missing, and without it nobody can log in to the database beside it: restore the file, or move the whole folder away and start afresh.`,
  );
}

async function initdb(place: ClusterPlace, folder: string, pwfile: string): Promise<void> {
  await runToEnd(place, 'initdb', {
    command: place.binaries.initdb,
    // Collation and character classes come from PostgreSQL itself (builtin C.UTF-8), the same on every machine; the
    // system's locales are asked for C only, which all of them have (macOS long had no C.UTF-8).
    args: [
      `--pgdata=${folder}`,
      `--username=${DATABASE_NAME}`,
      `--pwfile=${pwfile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
    ],
  });
}

/** Single-user mode needs no port, no password and no second start. */
async function createDatabase(place: ClusterPlace, folder: string, sqlFile: string): Promise<void> {
  await writeFile(sqlFile, `CREATE DATABASE ${DATABASE_NAME};\n`);
  const input = await open(sqlFile);
  try {
    await runToEnd(place, 'creating the database', {
      command: place.binaries.postgres,
      // Without exit_on_error single-user mode ends well whatever happened.
      args: ['--single', '-D', folder, '-c', 'exit_on_error=on', '-c', 'log_checkpoints=off', 'postgres'],
      input: input.fd,
    });
  } finally {
    await input.close();
  }
}

async function runToEnd(
  place: ClusterPlace,
  step: string,
  program: Pick<TiedProgram, 'command' | 'args' | 'input'>,
): Promise<void> {
  const mark = await place.log.size();
  const tied = await startTied({ ...program, env: place.env, runAs: place.runAs, output: place.log.fd });
  const limit = new AbortController();
  const tooLong = sleep(INITDB_LIMIT_MS, 'no end in sight', { signal: limit.signal }).catch(() => 'no end in sight');
  const ending = await Promise.race([tied.ended, tooLong]);
  limit.abort();
  if (ending === 'exit code 0') return;
  tied.signal('SIGKILL'); // nothing when it has ended already
  const said = (await place.log.since(mark)).split('\n').filter(line => /error|FATAL|PANIC|denied/i.test(line));
  throw new EmbeddedStartRefused(
    `The database in ${place.dataDir} could not be made: ${step} ended with ${ending}, saying "${said.at(-1)?.trim() ?? 'nothing'}" (see ${place.log.path}).`,
  );
}

/** The password, made durable before the cluster that knows it. One left by an interrupted start is used again. */
async function ensurePassword(place: ClusterPlace): Promise<string> {
  const path = join(place.dataDir, PASSWORD_FILE);
  const present = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (present !== '') return present;
  const password = Buffer.from(place.random(PASSWORD_BYTES)).toString('hex');
  await writeFile(`${path}.new`, `${password}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return password;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync();
  await handle.close();
}

/** With retries: an initdb whose service was killed a moment ago may still be writing its last files. */
async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}
