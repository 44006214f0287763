// What the addresses of lists say: read once here, with a sentence for what cannot be meant, and written back for every
// link, so that each view can be pasted into a chat.
import { z } from 'zod';
import { COMMON_VERDICTS, LISTED_VERDICTS } from '../../../db/inspect/eventList.ts';
import { STUCK_CAUSES } from '../../../db/orders.ts';
import { ORDER_STATES } from '../../../machines/orderStates.ts';
import { InvalidRequest } from '../../errors.ts';

/** Rows a page: what fits on two screens and is found again by eye. */
export const PAGE_SIZE = 50;
/** Longest id anybody gives out, in characters. */
const MAX_ID = 255;
/** Longest cursor: a provider's name and an event key of that length, in base64. */
const MAX_CURSOR = 512;

/** The verdicts that an event of an order can have. */
export const ORDER_VERDICTS = ['applied', 'duplicate', 'stale', 'illegal', 'mismatch', 'surplus', 'parked'] as const;
export const EVENT_VERDICTS = [...LISTED_VERDICTS, ...COMMON_VERDICTS] as const;

const PROVIDER = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** `2026-01-31`, `2026-01-31T10:00` as a form sends it, or an instant with its zone; without one it is UTC. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Empty fields of a form were not filled in. */
const optional = <T extends z.ZodType>(field: T) =>
  z.preprocess(
    value => (typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined),
    field.optional(),
  );

const instantField = z.string().transform((text, context) => {
  const at = INSTANT.test(text) ? new Date(/(Z|[+-]\d\d:\d\d|^.{10})$/.test(text) ? text : `${text}Z`) : null;
  if (at && !Number.isNaN(at.getTime()) && at.getUTCFullYear() > 0) return at;
  context.addIssue('is not a date and time like 2026-01-31T10:00');
  return z.NEVER;
});
const oneOf = <const T extends readonly [string, ...string[]]>(names: T) =>
  z.enum(names, `must be one of ${names.join(', ')}`);
const cursorField = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'must be from a link of this page')
  .max(MAX_CURSOR);
// Not shown and not printable: nobody means it, and the database refuses the first of them.
const idField = z
  .string()
  .max(MAX_ID, `is longer than any id: at most ${MAX_ID} characters`)
  .refine(text => text.isWellFormed() && !/\p{Cc}/u.test(text), 'holds characters that no id has');

const orderListQuery = z.object({
  q: optional(idField),
  state: optional(oneOf(ORDER_STATES)),
  provider: optional(z.string().regex(PROVIDER, 'is no name of a provider')),
  verdict: optional(oneOf(ORDER_VERDICTS)),
  cause: optional(oneOf(['any', ...STUCK_CAUSES])),
  from: optional(instantField),
  to: optional(instantField),
  cursor: optional(cursorField),
  dir: optional(oneOf(['newer'])),
});
export type OrderListQuery = z.infer<typeof orderListQuery>;

const stuckQuery = z.object({
  cause: optional(oneOf(STUCK_CAUSES)),
  cursor: optional(cursorField),
  dir: optional(oneOf(['newer'])),
});

const eventsQuery = z.object({
  verdict: optional(oneOf([...EVENT_VERDICTS, 'any'])),
  provider: optional(z.string().regex(PROVIDER, 'is no name of a provider')),
  from: optional(instantField),
  to: optional(instantField),
  cursor: optional(cursorField),
  dir: optional(oneOf(['newer'])),
});
export type EventsQuery = z.infer<typeof eventsQuery>;

/** @throws InvalidRequest with a sentence for each field that cannot be meant */
function reader<T extends z.ZodType>(schema: T): (query: Record<string, string>) => z.infer<T> {
  return query => {
    const read = schema.safeParse(query);
    if (read.success) return read.data;
    throw new InvalidRequest(
      read.error.issues
        .map(({ path, message }) => `${FIELD_NAMES[String(path[0])] ?? String(path[0])} ${message}.`)
        .join(' '),
    );
  };
}
const FIELD_NAMES: Readonly<Record<string, string>> = {
  q: 'The id',
  state: 'The state',
  provider: 'The provider',
  verdict: 'The verdict',
  cause: 'The cause',
  from: 'The time from',
  to: 'The time until',
  cursor: 'The place in the list',
  dir: 'The direction',
};

export const readOrderListQuery = reader(orderListQuery);
export const readStuckQuery = reader(stuckQuery);
export const readEventsQuery = reader(eventsQuery);

/** Whatever was pasted around it, an id of ours is meant by it: a link from a chat, or capitals from a phone. */
export function idMeant(q: string): string {
  return /(?:^|[^0-9a-z])(ord_[0-9a-z]{26})(?![0-9a-z])/i.exec(q)?.[1]?.toLowerCase() ?? q;
}

export type LinkParts = Readonly<Record<string, string | Date | null | undefined>>;

/** An address with these parts, empty ones left out. */
export function linkTo(path: string, parts: LinkParts): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) {
    if (value) search.set(name, value instanceof Date ? inForm(value) : value);
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** An instant the way a form's field takes it, in UTC: without what is nought at its end. */
export const inForm = (at: Date): string =>
  at
    .toISOString()
    .replace(/(:00)?\.000Z$/, '')
    .replace(/Z$/, '');

export const orderLink = (id: string): string => `/inspector/orders/${encodeURIComponent(id)}`;
export const searchLink = (q: string): string => linkTo('/inspector/orders', { q });
