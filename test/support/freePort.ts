// Ports for what must be named before it is taken, or found again after a restart.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those that systems give to whoever asks for any: nobody else takes one of these between a look and its use. */
const FROM = 20_000;
const TO = 30_000;

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const port = randomInt(FROM, TO);
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
