// CloudPayments over real HTTP as far as the service calls it. Strict about what the real one refuses before it looks at a
// call, and able to lose an answer after acting, to answer late, and to be overrun.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Body, CloudPaymentsBank } from './cloudpaymentsBank.ts';
import { API_SECRET, PUBLIC_ID } from './cloudpaymentsNotices.ts';

/** Calls at once a terminal in test mode may have; more are answered 429. */
const MAX_CONCURRENT = 5;
const CREDENTIALS = `Basic ${Buffer.from(`${PUBLIC_ID}:${API_SECRET}`).toString('base64')}`;

/** What happens to the next calls of a path, first come first served: `lost` and `late` after acting, others instead. */
export type Mishap = 'lost' | 'late' | number | { status?: number; text: string };
export type Seen = { path: string; text: string; headers: IncomingMessage['headers'] };
export type CloudPaymentsServer = Awaited<ReturnType<typeof startCloudPaymentsServer>>;

export async function startCloudPaymentsServer(options: { clock: () => Date; lateMs?: number }) {
  const bank = new CloudPaymentsBank(options.clock);
  const seen: Seen[] = [];
  const mishaps: { path: string; mishap: Mishap }[] = [];
  let underWay = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const path = request.url ?? '';
    const { headers, method } = request;
    seen.push({ path, text, headers });
    const end = (status: number, told: string) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(told);
    if (headers.authorization !== CREDENTIALS) return end(401, '');
    if (underWay > MAX_CONCURRENT) return end(429, '');
    if (method !== 'POST' || !bank.calls[path] || headers['content-type'] !== 'application/json') return end(404, '');
    const at = mishaps.findIndex(entry => entry.path === path);
    const mishap = at < 0 ? undefined : mishaps.splice(at, 1)[0]!.mishap;
    if (typeof mishap === 'number') return end(mishap, '');
    if (typeof mishap === 'object') return end(mishap.status ?? 200, mishap.text);
    const told = bank.act(path, text, headers['x-request-id'] as string | undefined);
    if (mishap === 'lost') return void request.socket.destroy();
    if (mishap === 'late') await new Promise(done => setTimeout(done, options.lateMs));
    return told === null ? end(400, 'an X-Request-ID was used for something else') : end(200, JSON.stringify(told));
  }

  const http = createServer((request, response) => {
    underWay++;
    void answer(request, response).finally(() => underWay--);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    rows: bank.rows,
    links: bank.links,
    subscriptions: bank.subscriptions,
    seen,
    charge: bank.charge.bind(bank),
    refundsOf: bank.refundsOf.bind(bank),
    /** What the merchant does in the dashboard, or another program with the same secret. */
    byHand: (path: string, body: Body) => bank.calls[path]!(body),
    mishap: (path: string, ...list: Mishap[]) => mishaps.push(...list.map(mishap => ({ path, mishap }))),
    calls: (path: string) => seen.filter(call => call.path === path).length,
    forget() {
      bank.forget();
      seen.length = 0;
      mishaps.length = 0;
    },
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}
