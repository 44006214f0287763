// A service of its own for one command: a fresh folder, free ports, gone when the command ends.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Keys, readKeptKeys } from '../keys.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** How long a first start may take, in ms: seconds on a slow disk, never a minute. */
const START_LIMIT_MS = 60_000;

export type OwnService = { url: string; keys: Keys; stop(): Promise<void> };

/** Starts the service in a temporary folder and resolves when it is ready. @throws Error with what it printed */
export async function startOwnService(path: string): Promise<OwnService> {
  const dataDir = await mkdtemp(join(tmpdir(), 'paylatch-demo-'));
  const env = { PATH: path, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let printed = '';
      const timer = setTimeout(
        () => reject(new Error(`the service was not ready in ${START_LIMIT_MS} ms: ${printed}`)),
        START_LIMIT_MS,
      );
      const read = (chunk: Buffer) => {
        printed += chunk;
        const ready = /ready: (\S+)/.exec(printed)?.[1];
        if (!ready) return;
        clearTimeout(timer);
        resolve(ready);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      void ended.then(() => reject(new Error(`the service ended: ${printed}`)));
    });
    const keys = await readKeptKeys(dataDir);
    if (!keys) throw new Error('the service made no keys');
    return { url, keys, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
