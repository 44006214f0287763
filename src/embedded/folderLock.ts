// One service per DATA_DIR: a listening socket in the folder. The kernel closes it with its process, so unlike a pid
// file it cannot outlive its owner or name a stranger; a file left behind by SIGKILL refuses connections and is replaced.
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedStartRefused } from './startRefused.ts';

export type FolderLock = { release(): Promise<void> };

const SOCKET_NAME = 'service.sock';
// Bytes a socket's path may have: 108 with the closing zero on Linux, 104 on macOS. Longer ones would be cut short silently.
const MAX_SOCKET_PATH_BYTES = 103;
// How long a holder is given to say its process id. A busy one may not answer; it is refused to the newcomer all the same.
const ANSWER_LIMIT_MS = 500;
// A process killed a moment ago still accepts connections until the kernel has taken it down (some milliseconds, longer
// under load); two starters may also take turns at removing a dead socket. Both settle well within this.
const PATIENCE_MS = 3_000;
const PAUSE_MS = 10;

/**
 * Takes the folder for this process until `release` or the end of the process. Throws EmbeddedStartRefused when another
 * live process has it. Two takers of one dead socket can in one instant both believe they hold it; the database's
 * own lock file then decides (server.ts).
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const socketFile = join(folder, SOCKET_NAME);
  const short = await shortPath(folder, socketFile);
  try {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    while (!patience.aborted) {
      const server = await listenOn(short.path);
      if (server) return { release: () => closeLock(server, socketFile, short.isDetour) };
      const holder = await askHolder(short.path);
      if (holder === 'dead') await rm(socketFile, { force: true });
      else if (holder === 'closing') await sleep(PAUSE_MS);
      else throw heldBy(folder, `process ${holder.pid}`);
    }
    throw heldBy(folder, 'another process');
  } finally {
    await short.remove();
  }
}

function heldBy(folder: string, who: string): EmbeddedStartRefused {
  return new EmbeddedStartRefused(
    `DATA_DIR ${folder} is in use by another running Paylatch (${who}): stop that one, or give this one a DATA_DIR of its own.`,
  );
}

type ShortPath = { path: string; isDetour: boolean; remove(): Promise<void> };

/** A path to the socket that fits the limit: its own, or through a short-lived link to the folder that only we can change. */
async function shortPath(folder: string, socketFile: string): Promise<ShortPath> {
  if (Buffer.byteLength(socketFile) <= MAX_SOCKET_PATH_BYTES)
    return { path: socketFile, isDetour: false, remove: async () => {} };
  const detour = await mkdtemp(join(tmpdir(), 'paylatch-'));
  await symlink(folder, join(detour, 'd'));
  const path = join(detour, 'd', SOCKET_NAME);
  const remove = () => rm(detour, { recursive: true, force: true });
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, isDetour: true, remove };
  await remove();
  throw new EmbeddedStartRefused(
    `DATA_DIR ${folder} and the folder for temporary files both have paths too long for a socket: choose a shorter DATA_DIR.`,
  );
}

/** Listens, or returns null when something is already there. */
async function listenOn(path: string): Promise<Server | null> {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.end(`${process.pid}\n`);
  });
  // The lock must not keep a process alive that has nothing else to do.
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen(path, () => resolve(server));
  });
}

/** Who listens: a process that says its id (or is too busy to), one that hung up because it is ending, or nobody. */
async function askHolder(path: string): Promise<{ pid: string } | 'closing' | 'dead'> {
  return new Promise(resolve => {
    let answer = '';
    const socket = createConnection(path);
    socket.setTimeout(ANSWER_LIMIT_MS, () => {
      socket.destroy();
      resolve({ pid: 'unknown, it does not answer' });
    });
    socket.on('data', chunk => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer === '' ? 'closing' : { pid: answer.trim() }));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve('dead');
      else if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve('closing');
      else resolve({ pid: `unknown, ${error.code}` });
    });
  });
}

async function closeLock(server: Server, socketFile: string, isDetour: boolean): Promise<void> {
  // Closing removes the file under the name it was made with; a detour is gone by now, so there it is removed by hand.
  // Removed before closing: later it could already be the next service's.
  if (isDetour) await rm(socketFile, { force: true });
  await new Promise(resolve => server.close(resolve));
}
