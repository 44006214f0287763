// One service per DATA_DIR: a listening socket in the folder. The kernel closes it with its process, so unlike a pid
// file it cannot outlive its owner or name a stranger; a file left behind by SIGKILL refuses connections and is replaced.
import { renameSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RandomSource } from '../clock.ts';
import { EmbeddedStartRefused } from './startRefused.ts';

export type FolderLock = { release(): Promise<void> };

const SOCKET_NAME = 'service.sock';
// A socket on its way to that name. One left by a killed start is removed by the next.
const CANDIDATE = /^service-[0-9a-f]{8}\.sock$/;
// Bytes a socket's path may have: 108 with the closing zero on Linux, 104 on macOS. Longer ones would be cut short silently.
const MAX_SOCKET_PATH_BYTES = 103;
// How long a holder is given to say its process id. A busy one may not answer; it is refused to the newcomer all the same.
const ANSWER_LIMIT_MS = 500;
// A process killed a moment ago still accepts connections until the kernel has taken it down: some milliseconds, longer under load.
const PATIENCE_MS = 3_000;
const PAUSE_MS = 10;
// Between finding nobody and taking the name lie microseconds. Whoever takes it waits this long for others that found
// nobody at the same moment: the last one to take it has it.
const SETTLE_MS = 25;

/**
 * Takes the folder for this process until `release` or the end of the process. Throws EmbeddedStartRefused when another
 * live process has it. A process halted for longer than SETTLE_MS at the one wrong instant could still slip in; the
 * database's own lock file stops it then (server.ts).
 */
export async function lockFolder(folder: string, random: RandomSource): Promise<FolderLock> {
  const short = await shortPath(folder);
  try {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    while (!patience.aborted) {
      const lock = await tryLock(folder, short.path, random);
      if (lock) return lock;
      await sleep(PAUSE_MS);
    }
    throw heldBy(folder, 'another process');
  } finally {
    await short.remove();
  }
}

/** One attempt; null when it has to be made again. `path` leads to the folder too, in few bytes. */
async function tryLock(folder: string, path: string, random: RandomSource): Promise<FolderLock | null> {
  const candidate = `service-${Buffer.from(random(4)).toString('hex')}.sock`;
  const server = await listenOn(join(path, candidate));
  const ours = await inode(join(folder, candidate));
  const take = () => renameSync(join(folder, candidate), join(folder, SOCKET_NAME));
  const holder = await askHolder(join(path, SOCKET_NAME), take);
  if (holder === 'nobody') {
    await sleep(SETTLE_MS);
    if ((await inode(join(folder, SOCKET_NAME))) === ours) {
      await removeCandidates(folder);
      return { release: () => giveBack(server, folder, ours) };
    }
  }
  await rm(join(folder, candidate), { force: true });
  await closed(server);
  if (typeof holder === 'object') throw heldBy(folder, `process ${holder.pid}`);
  return null;
}

function heldBy(folder: string, who: string): EmbeddedStartRefused {
  return new EmbeddedStartRefused(
    `DATA_DIR ${folder} is in use by another running Paylatch (${who}): stop that one, or give this one a DATA_DIR of its own.`,
  );
}

/** A path to the folder that leaves room for a socket's name: its own, or a short-lived link that only we can change. */
async function shortPath(folder: string): Promise<{ path: string; remove(): Promise<void> }> {
  const room = MAX_SOCKET_PATH_BYTES - '/service-01234567.sock'.length;
  if (Buffer.byteLength(folder) <= room) return { path: folder, remove: async () => {} };
  const detour = await mkdtemp(join(tmpdir(), 'paylatch-'));
  const remove = () => rm(detour, { recursive: true, force: true });
  const path = join(detour, 'd');
  await symlink(folder, path);
  if (Buffer.byteLength(path) <= room) return { path, remove };
  await remove();
  throw new EmbeddedStartRefused(
    `DATA_DIR ${folder} and the folder for temporary files both have paths too long for a socket: choose a shorter DATA_DIR.`,
  );
}

function listenOn(path: string): Promise<Server> {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.end(`${process.pid}\n`);
  });
  // The lock must not keep a process alive that has nothing else to do.
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/**
 * Who listens: a process that says its id (or is too busy to), one that hung up because it is ending, or nobody. In the
 * last case `take` runs in the same instant, for every wait in between would let others find nobody too.
 */
function askHolder(path: string, take: () => void): Promise<{ pid: string } | 'ending' | 'nobody'> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = createConnection(path);
    socket.setTimeout(ANSWER_LIMIT_MS, () => {
      socket.destroy();
      resolve({ pid: 'unknown, it does not answer' });
    });
    socket.on('data', chunk => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer === '' ? 'ending' : { pid: answer.trim() }));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return resolve('ending');
      if (error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT') return resolve({ pid: `unknown, ${error.code}` });
      try {
        take();
        resolve('nobody');
      } catch (problem) {
        // Our candidate was swept away by a service that has just taken the folder: ask again and hear its name.
        if ((problem as NodeJS.ErrnoException).code === 'ENOENT') resolve('ending');
        else reject(problem);
      }
    });
  });
}

async function inode(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.ino ?? null;
}

async function removeCandidates(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter(name => CANDIDATE.test(name));
  await Promise.all(names.map(name => rm(join(folder, name), { force: true })));
}

/** Removes the file before closing, and only while it is ours: afterwards it could already be the next service's. */
async function giveBack(server: Server, folder: string, ours: number | null): Promise<void> {
  const socketFile = join(folder, SOCKET_NAME);
  if ((await inode(socketFile)) === ours) await rm(socketFile, { force: true });
  await closed(server);
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()));
}
