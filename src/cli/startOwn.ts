// A service of its own for one command: a fresh folder, free ports, gone when the command ends.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Keys, readKeptKeys } from '../keys.ts';

// The loader by its address, because the folder the command is called in may be one from which it cannot be found.
const TSX = import.meta.resolve('tsx');
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** How long a first start may take, in ms: seconds on a slow disk, never a minute. */
const START_LIMIT_MS = 60_000;

/** What shells answer for a command that was stopped from outside. */
const INTERRUPTED = 130;

export type OwnService = { url: string; keys: Keys; stop(): Promise<void> };

/** Starts the service in a temporary folder and resolves when it is ready. @throws Error with what it printed */
export async function startOwnService(path: string): Promise<OwnService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'paylatch-demo-'));
  const env = { PATH: path, TMPDIR: tmpdir(), DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, ['--import', TSX, MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  // Without this an interrupted command would leave its service running and its folder behind.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(INTERRUPTED)));
  try {
    const url = await readyUrl(child, ended);
    const keys = await readKeptKeys(dataDir);
    if (!keys) throw new Error('the service made no keys');
    return { url, keys, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where it says that it is ready. @throws Error with what it printed */
function readyUrl(child: ChildProcessByStdio<null, Readable, Readable>, ended: Promise<void>): Promise<string> {
  let printed = '';
  let timer: NodeJS.Timeout | undefined;
  return new Promise<string>((resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the service was not ready in ${START_LIMIT_MS} ms: ${printed}`)),
      START_LIMIT_MS,
    );
    const read = (chunk: Buffer) => {
      printed += chunk;
      const ready = /ready: (\S+)/.exec(printed)?.[1];
      if (ready) resolve(ready);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`the service ended: ${printed}`)));
  }).finally(() => clearTimeout(timer));
}
