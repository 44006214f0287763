// The far side of the HTTP load, run as a process of its own: webhooks signed in advance, sent over connections that
// are kept, one at a time on each. Speaks HTTP/1.1 by hand, because a full client would take more CPU than the service.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { decodeSecret, signStandardWebhook } from '../src/providers/signatures.ts';
import { type Run, type Sent, steadyPartOfTurns } from './measure.ts';
import { type Orders, tailOf, USER_AGENT, webhookBody } from './seed.ts';

/** What the bench asks for: get ready for these orders, then go. */
export type Asked = { prepare: { port: number; orders: Orders; concurrency: number; secret: string } } | 'go';
/** What the sender answers. */
export type Told = 'ready' | { run: Run } | { error: string };

type Prepared = { sockets: Socket[]; requests: Buffer[] };

async function prepare({ port, orders, concurrency, secret }: Exclude<Asked, 'go'>['prepare']): Promise<Prepared> {
  const key = decodeSecret(secret);
  const requests = Array.from({ length: orders.count }, (_, n) => signedRequest(key, port, tailOf(orders, n)));
  const sockets = Array.from({ length: concurrency }, () => connect({ host: '127.0.0.1', port, noDelay: true }));
  await Promise.all(sockets.map(socket => once(socket, 'connect')));
  return { sockets, requests };
}

function signedRequest(secret: Uint8Array, port: number, tail: string): Buffer {
  const body = webhookBody(tail);
  const headers = {
    host: `127.0.0.1:${port}`,
    'user-agent': USER_AGENT,
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...signStandardWebhook(secret, `evt_${tail}`, Math.floor(Date.now() / 1e3), body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`POST /v1/webhooks/sandbox HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

async function go({ sockets, requests }: Prepared): Promise<Run> {
  const all: Sent[] = [];
  let next = 0;
  const cpu = process.cpuUsage();
  const connection = async (socket: Socket) => {
    const answered = answersOf(socket);
    for (let request = requests[next++]; request; request = requests[next++]) {
      const sentMs = performance.now();
      socket.write(request);
      const answer = await answered();
      all.push({ sentMs, answeredMs: performance.now() });
      if (!answer.startsWith('HTTP/1.1 200') || !answer.includes('"applied"') || !answer.includes('"subscribed"')) {
        throw new Error(`a webhook was answered with: ${answer}`);
      }
    }
  };
  await Promise.all(sockets.map(connection));
  const { user, system } = process.cpuUsage(cpu);
  for (const socket of sockets) socket.destroy();
  return { ...steadyPartOfTurns(all, sockets.length), helperCpu: (user + system) / 1e6 };
}

/** Answers one after the other, each as text with its headers; an answer without a length is refused. */
function answersOf(socket: Socket): () => Promise<string> {
  let text = '';
  let waiting: { resolve: (answer: string) => void; reject: (error: Error) => void } | undefined;
  const fail = (error?: Error) => waiting?.reject(error ?? new Error('the service closed a connection'));
  socket.setEncoding('latin1');
  socket.on('error', fail);
  socket.on('close', () => fail());
  socket.on('data', (piece: string) => {
    text += piece;
    const headersEnd = text.indexOf('\r\n\r\n');
    if (headersEnd < 0) return;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1];
    if (length === undefined) return fail(new Error(`an answer without a length: ${text}`));
    const end = headersEnd + 4 + Number(length);
    if (text.length < end) return;
    const answer = text.slice(0, end);
    text = text.slice(end);
    waiting?.resolve(answer);
  });
  return () => new Promise((resolve, reject) => (waiting = { resolve, reject }));
}

const tell = (told: Told) => process.send?.(told);
let prepared: Prepared | undefined;

async function answer(asked: Asked): Promise<Told> {
  if (asked !== 'go') {
    prepared = await prepare(asked.prepare);
    return 'ready';
  }
  if (!prepared) throw new Error('the sender was not prepared');
  return { run: await go(prepared) };
}

process.on('message', (asked: Asked) => {
  answer(asked).then(tell, (error: unknown) => tell({ error: String(error) }));
});
// However the bench ends, its sender ends with it.
process.on('disconnect', () => process.exit(0));
