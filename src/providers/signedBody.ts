// What all webhooks share whose body is JSON that names the type of its event: how it is read, and what is said of one that
// is not used or cannot be read. Nothing in here throws.
import { z } from 'zod';

/** Longest event type kept, in characters: the longest that is used has 40. */
const MAX_TYPE_LENGTH = 100;
/** The event type recorded when the body names none that can be read. */
export const UNREADABLE_TYPE = 'unreadable';

export const eventTypeSchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .max(MAX_TYPE_LENGTH);

/** Undefined for what is no JSON in UTF-8. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

export const NOT_JSON = 'The body is not JSON in UTF-8.';
export const NOT_USED = 'This type of event is not used.';

export const ignored = (detail: string) => ({ event: null, because: 'ignored' as const, detail });
export const undecodable = (detail: string) => ({ event: null, because: 'undecodable' as const, detail });

/** Says which field is wrong and how, from our own schema's words alone: nothing the sender wrote gets into it. */
export function sentenceAbout(error: z.ZodError, prefix = ''): string {
  const issue = error.issues[0];
  const field = [prefix, ...(issue?.path ?? [])].filter(part => part !== '').join('.');
  return `The body's ${field === '' ? 'outermost value' : `field "${field}"`} cannot be read: ${issue?.message ?? 'it is wrong'}.`;
}
