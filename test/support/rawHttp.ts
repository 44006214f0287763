// HTTP as bytes on a socket, for what fetch is too polite to send.
import { connect } from 'node:net';

export type RawAnswer = { status: number | null; headers: string; body: string };

/** How long an answer may take, in ms, before a test fails: longer than any time-out under test. */
const PATIENCE_MS = 30_000;

/** Sends the parts one after another and reads until the server ends the connection; `end` closes our side first. */
export function sendRaw(
  url: string,
  parts: (string | Uint8Array)[],
  options: { end?: boolean } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, async () => {
      for (const part of parts) {
        if (socket.destroyed) break;
        socket.write(part);
        await new Promise(setImmediate);
      }
      if (options.end) socket.end();
    });
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no end within ${PATIENCE_MS} ms; heard: ${text}`)));
    socket.on('data', chunk => {
      text += chunk.toString('latin1');
    });
    // A server that has answered may cut what we still send.
    socket.on('error', error => (text === '' ? reject(error) : resolve(readAnswer(text))));
    socket.on('close', () => resolve(readAnswer(text)));
  });
}

/** A request that asks for the connection to end after its answer. */
export function request(line: string, headers: Record<string, string> = {}, body = ''): string {
  const lines = Object.entries({ host: 'localhost', connection: 'close', ...headers }).map(([k, v]) => `${k}: ${v}`);
  return `${line} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

function readAnswer(text: string): RawAnswer {
  const [headers = '', ...rest] = text.split('\r\n\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1];
  return {
    status: status === undefined ? null : Number(status),
    headers: headers.toLowerCase(),
    body: rest.join('\r\n\r\n'),
  };
}
