// One POST to somebody outside, to addresses chosen beforehand. Redirects are not followed: where they lead was not
// checked. Of the answer only the status counts; a little of its text is kept for people to read.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

/** What is kept of an answer, in bytes: enough for an error message. */
export const MAX_ANSWER_BYTES = 1_024;
/** Headers of an answer, in bytes, past which it is no answer. */
const MAX_HEADER_BYTES = 16 * 1_024;
/** Longest wait that Retry-After can ask for, in s: past six hours it would stop being a retry. */
export const MAX_RETRY_AFTER_S = 6 * 60 * 60;

export type Post = {
  url: URL;
  /** Connect to these only; absent: wherever the name leads. */
  addresses?: readonly string[];
  headers: Record<string, string>;
  body: string;
  /** Ends the whole exchange. */
  signal: AbortSignal;
};

export type PostAnswer = {
  status: number;
  /** Its first MAX_ANSWER_BYTES, without what cannot be stored or shown. */
  text: string;
  /** As it was sent. */
  retryAfter: string | undefined;
};

/** @throws Error with a short reason that names neither address nor path, when no answer came */
export function post({ url, addresses, headers, body, signal }: Post): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, {
      method: 'POST',
      headers: { 'content-length': String(Buffer.byteLength(body)), 'user-agent': 'Paylatch', ...headers },
      // No connection is kept: the next try must be free to find that the name has moved.
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
      ...(addresses && { lookup: lookupOf(addresses) }),
    });
    // Once a status was said nothing takes it back, so what the abort of a hanging text says must not come first.
    let isAnswered = false;
    request.on('error', error => isAnswered || reject(new Error(reasonOf(error, signal))));
    // The end of a connection that is to become another protocol is no error to Node, and no answer either.
    request.on('close', () => isAnswered || reject(new Error('could not be reached (no answer)')));
    request.on('response', response => {
      isAnswered = true;
      void beginningOf(response).then(text => {
        resolve({ status: response.statusCode ?? 0, text, retryAfter: response.headers['retry-after'] });
        request.destroy();
      });
    });
    request.end(body);
  });
}

/** 2xx and nothing else: a 304 or a redirect means that nobody took it. */
export const isTaken = (status: number | null): boolean => status !== null && status >= 200 && status < 300;

/** When Retry-After, in seconds or as a date, asks to be tried again; null when it asks for nothing. Never further than the cap. */
export function retryAtOf(retryAfter: string | undefined, now: Date): Date | null {
  const text = retryAfter?.trim() ?? '';
  const at = /^\d{1,10}$/.test(text) ? now.getTime() + Number(text) * 1_000 : httpDate(text);
  if (!(at > now.getTime())) return null;
  return new Date(Math.min(at, now.getTime() + MAX_RETRY_AFTER_S * 1_000));
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`; anything else `Date` could read is not meant. */
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}

/** Answers what was checked, whatever name is asked for. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const all = addresses.map(address => ({ address, family: isIP(address) }));
  return (_host, options, answer) => {
    const [first] = all;
    if (options.all) answer(null, all);
    else if (first) answer(null, first.address, first.family);
    else answer(new Error('no address'), '');
  };
}

/** Reads until there is enough, whatever ends it: the status has been said, and a text that breaks off changes nothing. */
function beginningOf(response: IncomingMessage): Promise<string> {
  return new Promise(resolve => {
    const chunks: Buffer[] = [];
    let size = 0;
    const end = () => resolve(storable(Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES)));
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_ANSWER_BYTES) end();
    });
    for (const event of ['end', 'error', 'close']) response.once(event, end);
  });
}

/** Control characters, NUL first of all, are for terminals and no database; half a character is none. */
function storable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/[^\P{Cc}\n\t]/gu, '\ufffd')
    .toWellFormed();
}

/** Errors of sockets carry the address in their message, and those of certificates all its names: the code is enough. */
function reasonOf(error: Error & { code?: string }, signal: AbortSignal): string {
  if (signal.aborted) return 'did not answer in time';
  return `could not be reached (${error.code ?? error.name})`;
}
