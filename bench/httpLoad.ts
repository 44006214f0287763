// Pays orders by signed webhooks over HTTP: the real app on a port of this process, the sender in a process of its own.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { systemClock, systemRandom } from '../src/clock.ts';
import { createCore } from '../src/core.ts';
import type { Dispatch } from '../src/dispatch.ts';
import { createApp } from '../src/http/app.ts';
import { startHttpServer } from '../src/http/server.ts';
import type { NewId } from '../src/ids.ts';
import { createSandboxProvider } from '../src/providers/sandbox/adapter.ts';
import type { Asked, Told } from './httpSender.ts';
import type { Run } from './measure.ts';
import { type Orders, PROVIDER } from './seed.ts';

const SECRET_BYTES = 32;
const SENDER = fileURLToPath(new URL('httpSender.ts', import.meta.url));

export type HttpLoadOptions = { db: Database; dispatch: Dispatch; newId: NewId; log: Logger; concurrency: number };

export type HttpLoad = {
  /** Signs the webhooks and opens the connections; what it answers sends them. */
  prepare(orders: Orders): Promise<() => Promise<Run>>;
  close(): Promise<void>;
};

export async function startHttpLoad(options: HttpLoadOptions): Promise<HttpLoad> {
  const { concurrency } = options;
  const secret = `whsec_${Buffer.from(systemRandom(SECRET_BYTES)).toString('base64')}`;
  const http = await startService(options, secret);
  const port = Number(new URL(http.url).port);
  const sender = fork(SENDER, { stdio: 'inherit' });
  return {
    async prepare(orders) {
      await ask(sender, { prepare: { port, orders, concurrency, secret } });
      return async () => {
        const told = await ask(sender, 'go');
        if (told === 'ready' || 'error' in told) throw new Error('the sender told no result');
        return told.run;
      };
    },
    async close() {
      sender.kill();
      await http.close();
    },
  };
}

/** The service's app with its real core and the real sandbox adapter; only the sandbox's own server is not there. */
function startService({ db, dispatch, newId, log }: HttpLoadOptions, secret: string) {
  const provider = createSandboxProvider({ url: 'http://127.0.0.1:9', secret, clock: systemClock });
  const core = createCore({
    db,
    dispatch,
    providers: new Map([[PROVIDER, provider]]),
    publicUrl: 'http://127.0.0.1',
    clock: systemClock,
    newId,
    log,
    readiness: async () => ({}),
  });
  const key = () => Buffer.from(systemRandom(SECRET_BYTES)).toString('hex');
  const app = createApp({ core, keys: { api: key(), admin: key() }, clock: systemClock, newId, log });
  return startHttpServer({ app, host: '127.0.0.1', port: 0, log });
}

function ask(sender: ChildProcess, asked: Asked): Promise<Told> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the sender ended before it answered'));
    sender.once('exit', ended);
    sender.once('message', (told: Told) => {
      sender.off('exit', ended);
      if (told !== 'ready' && 'error' in told) reject(new Error(told.error));
      else resolve(told);
    });
    sender.send(asked, error => error && reject(error));
  });
}
