// A merchant's own server over real HTTP: it remembers every call and answers as the test says.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One that `hangs` begins its answer and never ends it. */
export type ReceiverAnswer = { status: number; headers?: Record<string, string>; body?: string; hangs?: true };
/** `silence` keeps the connection and says nothing, `cut` ends it without an answer. */
export type ReceiverMood = ReceiverAnswer | 'silence' | 'cut';

export type Received = { path: string; headers: IncomingHttpHeaders; body: string };

export type Receiver = {
  /** `http://127.0.0.1:port` */
  url: string;
  port: number;
  calls: Received[];
  /** How the next calls are answered, one after another; then with what `otherwise` is. */
  next: ReceiverMood[];
  otherwise: ReceiverMood;
  /** Breaks off whatever has not been answered yet. */
  cut(): void;
  close(): Promise<void>;
};

export async function startReceiver(): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    receiver.calls.push({
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    });
    const mood = receiver.next.shift() ?? receiver.otherwise;
    if (mood === 'silence') return;
    if (mood === 'cut') request.socket.destroy();
    else if (mood.hangs) response.writeHead(mood.status, mood.headers).write(mood.body ?? '');
    else response.writeHead(mood.status, mood.headers).end(mood.body ?? '');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    port,
    calls: [],
    next: [],
    otherwise: { status: 204 },
    cut: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
  return receiver;
}
