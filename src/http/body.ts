// Reads a request's body as bytes, never more than its limit: refused by its announced length before a byte is read, or
// at the first byte too many when the length was not announced.
import type { HonoRequest } from 'hono';
import { InvalidRequest, PaylatchError } from '../errors.ts';

/** Callbacks and webhooks, in bytes: providers advise far less, and the largest known ones stay below. */
export const PROVIDER_BODY_LIMIT = 256 * 1024;
/** Everything else, in bytes: the longest legal body has half of it. */
export const BODY_LIMIT = 16 * 1024;

/** @throws PaylatchError body_too_large; InvalidRequest when the body breaks off */
export async function readBody(c: { req: HonoRequest }, limit: number): Promise<Uint8Array> {
  const announced = c.req.header('content-length');
  if (announced !== undefined && Number(announced) > limit) throw tooLarge(limit);
  try {
    // An announced length is kept by Node's parser; with both headers it refuses the request itself.
    if (announced !== undefined && c.req.header('transfer-encoding') === undefined) {
      const body = new Uint8Array(await c.req.raw.arrayBuffer());
      if (body.byteLength > limit) throw tooLarge(limit);
      return body;
    }
    return await readChunks(c.req.raw.body, limit);
  } catch (error) {
    if (error instanceof PaylatchError) throw error;
    throw new InvalidRequest('The body broke off before its end.');
  }
}

async function readChunks(stream: ReadableStream<Uint8Array> | null, limit: number): Promise<Uint8Array> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Not cancelled when it is too long: that would cut the connection before the answer is out.
  const reader = stream.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(read.value);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): PaylatchError {
  return new PaylatchError('body_too_large', `The body may have at most ${limit / 1024} KiB.`);
}
