// Translates the body of a verified sandbox webhook into an event of the order machine. Nothing in here throws: a signed
// body that cannot be read is stored and looked at by a person, never bounced back at the provider for ever.
import { z } from 'zod';
import {
  amountMinorSchema,
  currencySchema,
  instantSchema,
  providerIdSchema,
  type UnstampedOrderEvent,
} from '../../../machines/orderEvents.ts';
import type { ReceivedEvent } from '../provider.ts';
import { readableText } from '../readableText.ts';
import {
  eventTypeSchema,
  ignored,
  NOT_JSON,
  NOT_USED,
  parseJson,
  sentenceAbout,
  UNREADABLE_TYPE,
  undecodable,
} from '../signedBody.ts';

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

  if (json === undefined) return { ...base, ...undecodable(NOT_JSON) };
  if (!envelope.success) return { ...base, ...undecodable(sentenceAbout(envelope.error)) };
  const translate = TRANSLATIONS.get(type);
  if (translate === undefined) return { ...base, ...ignored(NOT_USED) };
  if (!address.success) return { ...base, ...undecodable(sentenceAbout(address.error, 'data')) };
  try {
    return { ...base, event: withTime(translate(envelope.data.data), envelope.data.timestamp) };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    return { ...base, ...undecodable(sentenceAbout(error, 'data')) };
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

function money(type: 'payment.authorized' | 'payment.captured', data: unknown): UnstampedOrderEvent {
  return { type, ...moneySchema.parse(data) };
}

function attempt(type: 'payment.failed' | 'payment.canceled', data: unknown): UnstampedOrderEvent {
  const { paymentId, reason: given } = attemptSchema.parse(data);
  const reason = readableText(given);
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
