// Translates the body of a verified sandbox webhook into an event of the order machine. Nothing in here throws: a signed
// body that cannot be read is stored and looked at by a person, never bounced back at the provider for ever.
import { z } from 'zod';
import {
  amountMinorSchema,
  currencySchema,
  instantSchema,
  MAX_REASON_LENGTH,
  providerIdSchema,
  type UnstampedOrderEvent,
} from '../../../machines/orderEvents.ts';
import type { ReceivedEvent } from '../provider.ts';

/** Longest event type kept, in characters: the longest we know has 18. */
const MAX_TYPE_LENGTH = 100;
/** The event type recorded when the body names none that can be read. */
const UNREADABLE_TYPE = 'unreadable';

const eventTypeSchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/)
  .max(MAX_TYPE_LENGTH);
const envelopeSchema = z.object({
  type: eventTypeSchema,
  timestamp: z.unknown().optional(),
  data: z.unknown().optional(),
});
const anyInstantSchema = z.iso.datetime({ offset: true });
const addressSchema = z.object({ providerOrderId: providerIdSchema });

const moneySchema = z.object({ paymentId: providerIdSchema, amountMinor: amountMinorSchema, currency: currencySchema });
// A failure is never compared by amount, so one that names no amount, or no payment yet, is still read.
const attemptSchema = moneySchema.partial().extend({ reason: z.unknown().optional() });
const refundSchema = moneySchema.partial({ currency: true }).extend({ refundId: providerIdSchema });
const disputeSchema = moneySchema.partial({ currency: true }).extend({ disputeId: providerIdSchema });

type Translation = (data: unknown) => UnstampedOrderEvent;

// A Map, because a type such as "constructor" must find nothing.
const TRANSLATIONS = new Map<string, Translation>([
  ['payment.authorized', data => money('payment.authorized', data)],
  ['payment.captured', data => money('payment.captured', data)],
  ['payment.failed', data => attempt('payment.failed', data)],
  ['payment.canceled', data => attempt('payment.canceled', data)],
  ['refund.completed', data => refund('completed', data)],
  ['refund.failed', data => refund('failed', data)],
  ['dispute.opened', data => dispute('opened', data)],
  ['dispute.won', data => dispute('won', data)],
  ['dispute.lost', data => dispute('lost', data)],
]);

/** Reads a verified body loosely: unknown fields are dropped, unknown types ignored, unreadable bodies reported with a sentence. */
export function translateWebhookBody(body: Uint8Array, eventKey: string): ReceivedEvent {
  const json = parseJson(body);
  const envelope = envelopeSchema.safeParse(json);
  const type = envelope.success ? envelope.data.type : UNREADABLE_TYPE;
  const address = addressSchema.safeParse(envelope.data?.data);
  const providerOrderId = address.success ? address.data.providerOrderId : null;
  const base = { eventKey, eventType: type, orderId: null, providerOrderId };

  if (json === undefined) return { ...base, ...undecodable('The body is not JSON in UTF-8.') };
  if (!envelope.success) return { ...base, ...undecodable(sentence(envelope.error)) };
  const translate = TRANSLATIONS.get(type);
  if (translate === undefined) {
    return { ...base, event: null, because: 'ignored', detail: 'This type of event is not used.' };
  }
  if (!address.success) return { ...base, ...undecodable(sentence(address.error, 'data')) };
  try {
    return { ...base, event: withTime(translate(envelope.data.data), envelope.data.timestamp) };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    return { ...base, ...undecodable(sentence(error, 'data')) };
  }
}

/** The provider's own time of a state, as the one form that is stored, or nothing where it cannot be read. */
export function normaliseInstant(value: unknown): string | undefined {
  const read = anyInstantSchema.safeParse(value);
  if (!read.success) return undefined;
  const instant = new Date(read.data);
  // Offsets can push the first and last day of the calendar out of four-digit years.
  const text = Number.isNaN(instant.getTime()) ? '' : instant.toISOString();
  return instantSchema.safeParse(text).success ? text : undefined;
}

/** A reason fit to be stored: no control characters, no halves of surrogate pairs, not longer than a sentence. */
export function normaliseReason(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const readable = value
    .slice(0, MAX_REASON_LENGTH)
    .replace(/\p{Surrogate}|\p{Control}/gu, '\ufffd')
    .trim();
  return readable === '' ? undefined : readable;
}

function money(type: 'payment.authorized' | 'payment.captured', data: unknown): UnstampedOrderEvent {
  return { type, ...moneySchema.parse(data) };
}

function attempt(type: 'payment.failed' | 'payment.canceled', data: unknown): UnstampedOrderEvent {
  const { paymentId, reason: given } = attemptSchema.parse(data);
  const reason = normaliseReason(given);
  return { type, ...(paymentId !== undefined && { paymentId }), ...(reason !== undefined && { reason }) };
}

function refund(state: 'completed' | 'failed', data: unknown): UnstampedOrderEvent {
  const { paymentId, refundId, amountMinor } = refundSchema.parse(data);
  return { type: 'refund.updated', paymentId, refundId, state, amountMinor };
}

function dispute(state: 'opened' | 'won' | 'lost', data: unknown): UnstampedOrderEvent {
  const { paymentId, disputeId, amountMinor } = disputeSchema.parse(data);
  return { type: 'dispute.updated', paymentId, disputeId, state, amountMinor };
}

/**
 * The body's own time is the same in every retry of a delivery; the signature header's is not and is never used for this.
 * A time that cannot be read is left out: a fact about money matters more than when it happened.
 */
function withTime(event: UnstampedOrderEvent, timestamp: unknown): UnstampedOrderEvent {
  const occurredAt = normaliseInstant(timestamp);
  return occurredAt === undefined ? event : { ...event, occurredAt };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function undecodable(detail: string) {
  return { event: null, because: 'undecodable' as const, detail };
}

/** Says which field is wrong and how, from our own schema's words alone: nothing the sender wrote gets into it. */
function sentence(error: z.ZodError, prefix = ''): string {
  const issue = error.issues[0];
  const field = [prefix, ...(issue?.path ?? [])].filter(part => part !== '').join('.');
  return `The body's ${field === '' ? 'outermost value' : `field "${field}"`} cannot be read: ${issue?.message ?? 'it is wrong'}.`;
}
