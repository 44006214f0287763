// A PostgreSQL of our own in DATA_DIR, for a service that was given no DATABASE_URL. Made on the first start, stopped
// with the service however that ends, and held by one service at a time.
import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { RandomSource } from '../clock.ts';
import { type Binaries, findBinaries, linkLibraries, majorVersion } from './binaries.ts';
import { clusterVersion, createCluster, DATABASE_NAME, readPassword, removeUnfinished } from './cluster.ts';
import { lockFolder } from './folderLock.ts';
import {
  closedFolderSentence,
  firstClosedFolder,
  foldersDownTo,
  type ServerIdentity,
  serverIdentity,
} from './identity.ts';
import { type RunningServer, startServer, stopServer } from './server.ts';
import { openServerLog, type ServerLog } from './serverLog.ts';
import { EmbeddedStartRefused, refuseForFolder } from './startRefused.ts';

/** What is needed of a logger; pino's fits. */
export type StartLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

export type EmbeddedPostgresOptions = {
  /** Folder for everything: the cluster in `pg`, its password, its log. Made when missing. */
  dataDir: string;
  random: RandomSource;
  log: StartLog;
  /** The whole environment of the children besides the library path. The locale is not taken from the caller's shell. */
  env: { PATH: string };
  /** Server settings (postgresql.conf names) that come on top of ours. */
  extraSettings?: Record<string, string>;
};

/** How the server ended: `asked` when by stop(), else it crashed or was killed and the service has no database any more. */
export type ServerExit = { asked: boolean; sentence: string };

export type EmbeddedPostgres = {
  /** postgres://paylatch:…@127.0.0.1:…/paylatch; contains the password. */
  url: string;
  pid: number;
  /** Resolves when the server has ended, for whatever reason. Never rejects. */
  exited: Promise<ServerExit>;
  /** Stops the server (at most 25 s) and gives the folder free. Close the clients first: their connections are cut. */
  stop(): Promise<void>;
};

// Ours alone; as root, others (the server's user) may pass through to the server's own folder, but not list or read.
const PRIVATE = 0o700;
const PASSABLE = 0o011;

/**
 * Starts PostgreSQL in `dataDir` and resolves when it takes connections. Throws EmbeddedStartRefused, one sentence for
 * the operator, when it cannot be; nothing is left running or locked then. The server alone does not keep the process alive.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries(process.platform, process.arch);
  const asked = resolve(options.dataDir);
  const ourUid = process.getuid?.() ?? -1;
  try {
    const dataDir = await makeFolder(asked, ourUid === 0);
    const lock = await lockFolder(dataDir, options.random);
    try {
      const serverLog = await openServerLog(join(dataDir, 'postgres.log'));
      try {
        const server = await startIn(dataDir, ourUid, binaries, serverLog, options);
        return running(server, await readPassword(dataDir), options.log, async () => {
          await serverLog.close();
          await lock.release();
        });
      } catch (error) {
        await serverLog.close();
        throw error;
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    return refuseForFolder(asked, error);
  }
}

async function startIn(
  dataDir: string,
  ourUid: number,
  binaries: Binaries,
  serverLog: ServerLog,
  options: EmbeddedPostgresOptions,
): Promise<RunningServer> {
  const databaseFolder = join(dataDir, 'pg');
  const runAs = await serverIdentity(ourUid, databaseFolder);
  if (runAs) await openTheWay(dataDir, binaries, runAs);
  const libraryPath = await linkLibraries(binaries, dataDir, process.platform);
  const env = { PATH: options.env.PATH, LC_ALL: 'C', ...libraryPath };
  const installed = await majorVersion(binaries, env, runAs);
  await removeUnfinished(dataDir);
  const present = await clusterVersion(databaseFolder);
  if (present === null) {
    requireNamedUser(runAs);
    options.log.info({ dataDir }, 'making a new database');
    await createCluster({ dataDir, databaseFolder, binaries, env, runAs, log: serverLog, random: options.random });
  } else if (present !== String(installed)) {
    throw new EmbeddedStartRefused(
      `The database in ${databaseFolder} was made by PostgreSQL ${present} and the installed one is PostgreSQL ${installed}: ` +
        `move it over with pg_upgrade or a dump, choose another DATA_DIR, or set DATABASE_URL to a PostgreSQL ${present} server.`,
    );
  }
  await readPassword(dataDir); // before the start: a server nobody can log in to is no use
  const { postgres } = binaries;
  const extraSettings = options.extraSettings ?? {};
  return startServer({ postgres, databaseFolder, env, runAs, serverLog, log: options.log, extraSettings });
}

function running(server: RunningServer, password: string, log: StartLog, letGo: () => Promise<void>): EmbeddedPostgres {
  const { tied, port } = server;
  let stopping: Promise<void> | undefined;
  tied.unref();
  log.info({ pid: tied.pid, port }, 'embedded PostgreSQL is ready');
  return {
    url: `postgres://${DATABASE_NAME}:${password}@127.0.0.1:${port}/${DATABASE_NAME}`,
    pid: tied.pid,
    exited: tied.ended.then(ending => ({
      asked: stopping !== undefined,
      sentence: `The embedded PostgreSQL (process ${tied.pid}) ended with ${ending}.`,
    })),
    stop: () => {
      stopping ??= stopServer(server, log).then(letGo);
      return stopping;
    },
  };
}

/** Makes DATA_DIR and what is missing above it; returns its path free of links. */
async function makeFolder(path: string, passable: boolean): Promise<string> {
  const topmostMade = await mkdir(path, { recursive: true, mode: PRIVATE });
  // By chmod and not by mkdir's mode, from which a strict umask would take the passage away again.
  if (passable && topmostMade !== undefined)
    for (let at = path; at.length >= topmostMade.length; at = dirname(at)) await chmod(at, PRIVATE | PASSABLE);
  return realpath(path);
}

/** As root only: lets the server's user through DATA_DIR, and refuses where folders that are not ours to change bar the way. */
async function openTheWay(dataDir: string, binaries: Binaries, runAs: ServerIdentity): Promise<void> {
  const { mode, uid, gid } = await stat(dataDir);
  if (firstClosedFolder([{ path: dataDir, mode, uid, gid }], runAs)) await chmod(dataDir, (mode & 0o777) | PASSABLE);
  for (const [path, what] of [
    [dataDir, `DATA_DIR ${dataDir}`],
    [binaries.root, 'the PostgreSQL binaries of this installation'],
  ] as const) {
    const closed = firstClosedFolder(await foldersDownTo(resolve(path)), runAs);
    if (closed) throw new EmbeddedStartRefused(closedFolderSentence(closed, runAs, what));
  }
}

/** initdb looks its own user up by name; containers started with an arbitrary user id have none. */
function requireNamedUser(runAs: ServerIdentity | null): void {
  if (runAs) return;
  try {
    userInfo();
  } catch (error) {
    throw new EmbeddedStartRefused(
      `The current user id has no entry in /etc/passwd, which PostgreSQL needs to make a database: start as a user with a name, or set DATABASE_URL.`,
      error,
    );
  }
}
