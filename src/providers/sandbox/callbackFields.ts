// Reads the three fields of a sandbox callback from wherever the browser brought them: a JSON body, a form, or the query.
import { z } from 'zod';
import { InvalidRequest } from '../../errors.ts';
import type { IncomingCall } from '../provider.ts';

// Printable ASCII without `|`, which joins the two ids in the text that is signed.
const signedIdSchema = z.string().regex(/^[\x20-\x7b\x7d\x7e]{1,255}$/);
const callbackSchema = z.object({ providerOrderId: signedIdSchema, paymentId: signedIdSchema, signature: z.string() });

export type CallbackFields = z.infer<typeof callbackSchema>;

/** @throws InvalidRequest naming the field that is missing or malformed */
export function readCallbackFields(call: IncomingCall): CallbackFields {
  const fields = callbackSchema.safeParse(readSource(call));
  if (fields.success) return fields.data;
  const field = String(fields.error.issues[0]?.path[0] ?? 'body');
  throw new InvalidRequest(`The callback's ${field} is missing or malformed.`);
}

function readSource(call: IncomingCall): unknown {
  if (call.body.length === 0) return call.query;
  const text = readText(call.body);
  const mediaType = call.contentType.split(';')[0]?.trim().toLowerCase();
  if (mediaType === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidRequest('The callback body is not JSON.');
  }
}

function readText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new InvalidRequest('The callback body is not UTF-8.');
  }
}
