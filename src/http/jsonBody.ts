// Middleware of every merchant and operator call with a body: limited bytes in, JSON out that is safe to hand to zod and
// to the database. What JSON.parse lets through although nothing behind it can hold it is refused here.
import type { MiddlewareHandler } from 'hono';
import { InvalidRequest, PaylatchError } from '../errors.ts';
import type { AppEnv } from './appTypes.ts';
import { BODY_LIMIT, readBody } from './body.ts';

/** Levels of objects and arrays: no legal body has more than four, and recursion over them must stay shallow. */
const MAX_JSON_DEPTH = 32;
/** Names that change what an object is instead of what it holds. */
const POISONED_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
const JSON_MEDIA_TYPE = /^application\/json(?:\s*;|$)/i;

/** @throws PaylatchError unsupported_media_type, body_too_large; InvalidRequest */
export const jsonBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!JSON_MEDIA_TYPE.test(c.req.header('content-type') ?? '')) {
    throw new PaylatchError(
      'unsupported_media_type',
      'The body must be JSON, sent as "Content-Type: application/json".',
    );
  }
  const text = decode(await readBody(c, BODY_LIMIT));
  checkValue(parse(text), 1);
  // The validator behind reads the body by its own means, but the stream is used up; Hono keeps promises here, whatever its type says.
  c.req.bodyCache.text = Promise.resolve(text) as unknown as string;
  await next();
};

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new InvalidRequest('The body is not UTF-8.');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidRequest('The body is not JSON.');
  }
}

function checkValue(value: unknown, depth: number): void {
  if (typeof value === 'string') checkText(value);
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_JSON_DEPTH) throw new InvalidRequest(`The body is nested more than ${MAX_JSON_DEPTH} levels deep.`);
  for (const [key, inner] of Object.entries(value)) {
    if (POISONED_KEYS.has(key)) throw new InvalidRequest(`The body may not have a field named ${key}.`);
    checkText(key);
    checkValue(inner, depth + 1);
  }
}

/** PostgreSQL's text holds neither; storing something else than what was sent would be a lie. */
function checkText(text: string): void {
  if (text.includes('\u0000') || !text.isWellFormed()) {
    throw new InvalidRequest('The body holds a NUL character or half a surrogate pair, which cannot be stored.');
  }
}
