// Starts the database server, waits until it takes connections, and stops it. A server whose service was killed a
// moment ago may still be closing: a start that meets it tries again for a while, then says who holds the folder.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartLog } from './embeddedPostgres.ts';
import { holdersSentence, removeForeignLock } from './folderHolders.ts';
import type { ServerIdentity } from './identity.ts';
import { startTied, type Tied } from './lifeline.ts';
import type { ServerLog } from './serverLog.ts';
import { EmbeddedStartRefused } from './startRefused.ts';

export type ServerPlace = {
  postgres: string;
  databaseFolder: string;
  env: Record<string, string>;
  runAs: ServerIdentity | null;
  serverLog: ServerLog;
  log: StartLog;
  extraSettings: Record<string, string>;
};

export type RunningServer = { port: number; tied: Tied };

const SETTINGS: Record<string, string> = {
  // Only this machine, only TCP: a socket file would need a short path and a folder the server's user may write.
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Said aloud so that no edit of postgresql.conf takes it away: what was answered as done survives a power cut.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Full page images are most of the log written under load: compress them, and have fewer by checkpointing seldom.
  // 4 GB is about a minute of full load; replaying that much after a crash stays within READY_LIMIT_MS.
  wal_compression: 'pglz',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
  // An error is logged with its SQLSTATE, so that a constraint that refuses a grant can be found from this side too;
  // without its statement, which is a whole batch of orders.
  log_line_prefix: '%m [%p] %e ',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
};

// How often the server's status line is looked at: a start takes about 50 ms.
const READY_POLL_MS = 5;
// A start after a crash replays up to max_wal_size first. Past this it hangs.
const READY_LIMIT_MS = 300_000;
// An old server closes within 0.2 s when idle; under load its last checkpoint takes seconds.
const HELD_PATIENCE_MS = 10_000;
const HELD_PAUSE_MS = 25;
// A clean stop writes a last checkpoint of at most shared_buffers (128 MB).
const STOP_LIMIT_MS = 20_000;
// An immediate stop writes nothing; the next start replays the log instead.
const QUIT_LIMIT_MS = 5_000;

// What passes by itself: the old server not gone yet, and a port that somebody took between our look and the start.
const HELD = /lock file ".*" already exists|shared memory block .* is still in use/;
const PORT_TAKEN = /could not create any TCP\/IP sockets|could not create listen socket/;

/** Starts the server on a free port and resolves when it takes connections. Throws EmbeddedStartRefused when it does not. */
export async function startServer(place: ServerPlace): Promise<RunningServer> {
  const patience = AbortSignal.timeout(HELD_PATIENCE_MS);
  for (;;) {
    const port = await freePort();
    const mark = await place.serverLog.size();
    const tied = await startTied({
      command: place.postgres,
      args: serverArguments(place, port),
      env: place.env,
      runAs: place.runAs,
      output: place.serverLog.fd,
    });
    const ending = await readyOrEnded(tied, place.databaseFolder);
    if (ending === null) return { port, tied };
    const said = await place.serverLog.since(mark);
    const held = HELD.test(said);
    if (patience.aborted || !(held || PORT_TAKEN.test(said))) throw await startFailed(place, held, ending, said);
    if (held && (await removeForeignLock(place.databaseFolder)))
      place.log.warn(
        { databaseFolder: place.databaseFolder },
        'removed a stale lock file whose process id now belongs to another program',
      );
    await sleep(HELD_PAUSE_MS);
  }
}

/**
 * Stops the server: cleanly, else immediately, else by force; resolves when it has ended, at the latest after
 * STOP_LIMIT_MS + QUIT_LIMIT_MS. Nothing that was committed is lost either way.
 */
export async function stopServer({ tied }: RunningServer, log: StartLog): Promise<void> {
  tied.ref();
  tied.signal('SIGINT');
  if (await endsWithin(tied, STOP_LIMIT_MS)) return;
  log.warn({ pid: tied.pid, limitMs: STOP_LIMIT_MS }, 'the database did not stop cleanly in time; stopping it at once');
  tied.signal('SIGQUIT');
  if (await endsWithin(tied, QUIT_LIMIT_MS)) return;
  tied.signal('SIGKILL');
  await tied.ended;
}

function serverArguments(place: ServerPlace, port: number): string[] {
  const settings = { ...SETTINGS, ...place.extraSettings, port: String(port) };
  return [
    '-D',
    place.databaseFolder,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** null once the server takes connections, else how it ended. */
async function readyOrEnded(tied: Tied, databaseFolder: string): Promise<string | null> {
  const limit = AbortSignal.timeout(READY_LIMIT_MS);
  while (!tied.hasEnded()) {
    if (await saysReady(tied.pid, databaseFolder)) return null;
    if (limit.aborted) tied.signal('SIGQUIT');
    await Promise.race([sleep(READY_POLL_MS), tied.ended]);
  }
  return tied.ended;
}

/** The server keeps its process id in the first line of postmaster.pid and its status in the eighth. */
async function saysReady(pid: number, databaseFolder: string): Promise<boolean> {
  const lines = (await readFile(join(databaseFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

async function startFailed(
  place: ServerPlace,
  held: boolean,
  ending: string,
  said: string,
): Promise<EmbeddedStartRefused> {
  if (held) return new EmbeddedStartRefused(await holdersSentence(place.databaseFolder));
  const fatal = said.split('\n').findLast(line => /FATAL|PANIC|error|denied/i.test(line));
  const why = fatal?.replace(/^.*?(FATAL|PANIC):\s*/, '').trim() ?? 'nothing';
  return new EmbeddedStartRefused(
    `The database in ${place.databaseFolder} did not start (${ending}), saying "${why}" (see ${place.serverLog.path}).`,
  );
}

async function endsWithin(tied: Tied, limitMs: number): Promise<boolean> {
  const timer = new AbortController();
  await Promise.race([tied.ended, sleep(limitMs, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
  return tied.hasEnded();
}

/** A port nobody listens on now. The server cannot choose one itself; a start that loses it in between tries another. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
