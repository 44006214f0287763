// The fields callers send, each with its limits and the sentence that says them. One definition serves validation and
// the API description.
import { z } from '@hono/zod-openapi';
import { MAX_BY_LENGTH } from '../../machines/orderEvents.ts';
import { ORDER_STATES } from '../../machines/orderStates.ts';
import type { Stuck } from '../ports.ts';
import { NAMES_NOTHING } from './validation.ts';

/** Longest address a browser is sent back to, in characters: what all browsers and proxies carry. */
const MAX_URL_LENGTH = 2_048;
/** Metadata is for a handful of the merchant's own references; more belongs into the merchant's database. */
const MAX_METADATA_KEYS = 20;
const MAX_METADATA_VALUE_LENGTH = 500;
/** Access is asked for instants a database and a calendar can hold. */
const EARLIEST_YEAR = 1970;
const LATEST_YEAR = 9999;

export const userIdField = z
  .string()
  .regex(/^[A-Za-z0-9._:@+-]{1,128}$/, 'must be 1 to 128 letters, digits or . _ : @ + -')
  .meta({ example: 'user-42' });

const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const SLUG_SENTENCE = 'must be 1 to 64 lower-case letters, digits, _ or -, not beginning with _ or -';
export const planIdField = z.string().regex(SLUG, SLUG_SENTENCE).meta({ example: 'pro-monthly' });
export const productField = z.string().regex(SLUG, SLUG_SENTENCE).meta({ example: 'pro' });
export const providerField = z.string().regex(SLUG, SLUG_SENTENCE).meta({ example: 'sandbox' });

const ORDER_ID = /^ord_[0-9a-z]{26}$/;
const EXAMPLE_ORDER_ID = 'ord_06c7qfdzx8m2k4r9t0v1w3y5ab';

/** In a path: what cannot be an order's id names no order, so it is 404 like an id nobody has. */
export const orderIdField = z
  .string()
  .refine(id => ORDER_ID.test(id), {
    error: 'names no order: an order id is "ord_" and 26 characters',
    params: NAMES_NOTHING,
  })
  .meta({ pattern: ORDER_ID.source, example: EXAMPLE_ORDER_ID });

export const stateField = z.enum(ORDER_STATES);

/** The causes are spelt out because this layer does not reach into the database, which finds them; the type keeps the two equal. */
export const causeField = z.enum({
  deadline_passed: 'deadline_passed',
  effect_dead: 'effect_dead',
  parked: 'parked',
  grant_failed: 'grant_failed',
  snapshot_unreadable: 'snapshot_unreadable',
} satisfies { [Cause in Stuck['cause']]: Cause });

/** Who asks, as the merchant's own people are called there. */
export const byField = z
  .string()
  .trim()
  .min(1)
  .max(MAX_BY_LENGTH)
  .meta({ description: 'Who asks; default: the role of the key, admin or merchant', example: 'ada@shop.example' });

export const cursorField = z
  .string()
  .regex(ORDER_ID, 'must be the nextCursor of the page before')
  .meta({ example: EXAMPLE_ORDER_ID });

/** The merchant's own key of a request: the same key is the same request, for ever. */
export const idempotencyKeyField = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .meta({ example: 'checkout-42-1' });

export const returnUrlField = z
  .string()
  .max(MAX_URL_LENGTH)
  .refine(isWebAddress, 'must be an absolute http or https URL without user name or password')
  .meta({ format: 'uri', example: 'https://shop.example/thanks' });

/** No spaces and no control characters: browsers drop some of them, and then read another address than was checked. */
function isWebAddress(text: string): boolean {
  if (!/^https?:\/\/[^\s\p{Cc}\\]+$/iu.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

export const metadataField = z
  .record(
    z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits or . _ -'),
    z.string().max(MAX_METADATA_VALUE_LENGTH),
  )
  .refine(metadata => Object.keys(metadata).length <= MAX_METADATA_KEYS, `must have at most ${MAX_METADATA_KEYS} keys`)
  .meta({ example: { basket: '4711' } });

/** An instant a caller asks about, with any offset. */
export const atField = z.iso
  .datetime({ offset: true, error: 'must be an instant such as 2026-01-31T10:00:00Z' })
  .refine(isWithinCalendar, `must lie between the years ${EARLIEST_YEAR} and ${LATEST_YEAR}`);

function isWithinCalendar(text: string): boolean {
  const year = new Date(text).getUTCFullYear();
  return year >= EARLIEST_YEAR && year <= LATEST_YEAR;
}

/** ETags of orders are their versions; If-Match makes a call wait for no other version. */
export const ifMatchField = z
  .string()
  .regex(/^(?:\*|(?:W\/)?"(?:0|[1-9]\d{0,8})")$/, 'must be one ETag of the order, such as "4", or *')
  .meta({ example: '"4"' });
