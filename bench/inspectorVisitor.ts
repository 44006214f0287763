// Somebody who is signed in to the inspector, looks at its pages one after the other, and takes the time.
import { Agent, type IncomingMessage, request } from 'node:http';

/** A page that takes longer hangs, in ms. */
const PATIENCE_MS = 30_000;

export type Looked = { status: number; ms: number; bytes: number };
export type Visitor = {
  /** `headers` besides those of a browser that goes there. */
  look(address: string, headers?: Record<string, string>): Promise<Looked>;
  /** Listens until something is told. */
  listen(address: string): Promise<void>;
  close(): void;
};

export async function signIn({ url, key }: { url: string; key: string }): Promise<Visitor> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const form = new URLSearchParams({ key, returnTo: '/inspector' }).toString();
  const headers = { origin: url, 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
  const signed = await fetch(`${url}/inspector/sign-in`, { method: 'POST', redirect: 'manual', body: form, headers });
  const cookie = signed.headers.get('set-cookie')?.split(';')[0];
  if (!cookie) throw new Error(`signing in answered ${signed.status}`);

  const ask = (address: string, from: Agent | false, headers: Record<string, string> = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request(`${url}${address}`, {
        agent: from,
        headers: { cookie, accept: 'text/html', ...headers },
        timeout: PATIENCE_MS,
      });
      asked.once('response', resolve).once('error', reject);
      asked.once('timeout', () => asked.destroy(new Error(`${address} was not answered within ${PATIENCE_MS} ms`)));
      asked.end();
    });
  return {
    async look(address, headers) {
      const from = performance.now();
      const answer = await ask(address, agent, headers);
      let bytes = 0;
      for await (const piece of answer) bytes += (piece as Buffer).length;
      return { status: answer.statusCode ?? 0, ms: performance.now() - from, bytes };
    },
    async listen(address) {
      const answer = await ask(address, false);
      for await (const piece of answer) if (String(piece).includes('event:')) break;
      answer.destroy();
    },
    close: () => agent.destroy(),
  };
}
