// Chooses where the sandbox listens: the port it is told, or a free one that it keeps over restarts, because the pay links
// of open orders name it.
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const PORT_FILE = 'port';
/** The remembered port is somebody else's now, or has become one we may not open. */
const TAKEN = new Set(['EADDRINUSE', 'EACCES']);

/** Listens on `port`, or for 0 on the remembered port if it is still free, else on a new one. Answers which it is. */
export async function listenOnPort(server: Server, host: string, port: number, folder: string): Promise<number> {
  if (port !== 0) return listen(server, host, port);
  const remembered = await readPort(folder);
  const found = await listen(server, host, remembered).catch((error: NodeJS.ErrnoException) => {
    if (TAKEN.has(error.code ?? '')) return listen(server, host, 0);
    throw error;
  });
  if (found !== remembered) await rememberPort(folder, found);
  return found;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function readPort(folder: string): Promise<number> {
  const text = await readFile(join(folder, PORT_FILE), 'utf8').catch(() => '');
  const port = Number(text.trim());
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

async function rememberPort(folder: string, port: number): Promise<void> {
  const path = join(folder, PORT_FILE);
  await writeFile(`${path}.new`, `${port}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
