// Every event an order can hear, as zod schemas. What passes here is all that is ever stored in `transitions.event`:
// unknown fields are dropped, so nothing a provider or caller adds can reach a snapshot.
import { z } from 'zod';

/** Largest amount accepted, in minor units: sums of a thousand of them stay exact integers in JavaScript. */
export const MAX_AMOUNT_MINOR = 1_000_000_000_000;
/** Longest reason a person or a provider may give, in characters: enough for a sentence, too little for a payload. */
export const MAX_REASON_LENGTH = 500;
/** Longest name of who asked, in characters: an address, a role or the name of a job. */
export const MAX_BY_LENGTH = 128;
/**
 * Longest key of an effect, in characters: an order id (30), what is to be done, and what a provider names (255 at
 * most).
 */
export const MAX_REQUEST_KEY_LENGTH = 320;

/** What a provider names (orders, payments, refunds, disputes): opaque, 1 to 255 printable ASCII characters. */
export const providerIdSchema = z.string().regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters');
export const amountMinorSchema = z.int().min(1).max(MAX_AMOUNT_MINOR);
/** ISO 4217, upper case. Which codes exist is checked where plans are made; here only the shape. */
export const currencySchema = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code in capitals, such as INR');
export const reasonSchema = z.string().trim().min(1).max(MAX_REASON_LENGTH);
/** An instant as ISO 8601 in UTC with milliseconds, the only form that is stored: `2026-01-31T10:00:00.000Z`. */
export const instantSchema = z.iso.datetime({ precision: 3 });

export const planTermsSchema = z.object({
  id: z.string(),
  product: z.string(),
  amountMinor: z.int().min(0).max(MAX_AMOUNT_MINOR),
  currency: currencySchema,
  months: z.int().min(0),
  days: z.int().min(0),
  graceDays: z.int().min(0),
  surplusPolicy: z.enum(['refund', 'extend', 'hold']),
});
/** A plan as it was bought: an order keeps it, so that later changes of the plan never change what was paid for. */
export type PlanTerms = z.infer<typeof planTermsSchema>;

export const orderKindSchema = z.enum(['purchase', 'renewal', 'trial', 'surplus', 'gift', 'import']);
export type OrderKind = z.infer<typeof orderKindSchema>;

/** `at` is stamped by dispatch, `occurredAt` is the provider's own time of the object state, where it tells one. */
const stamps = { at: instantSchema, occurredAt: instantSchema.optional() };
/** What somebody asks for: why, and who they say they are. */
const request = { ...stamps, reason: reasonSchema, by: z.string().trim().min(1).max(MAX_BY_LENGTH).optional() };
const money = {
  ...stamps,
  paymentId: providerIdSchema,
  amountMinor: amountMinorSchema,
  currency: currencySchema,
  account: z.string().max(255).optional(),
  live: z.boolean().optional(),
  /** The provider's own subscription this payment was charged for; later charges of it are renewals. */
  subscriptionId: providerIdSchema.optional(),
  /** Set by dispatch when this payment is already known to belong to another order: then it pays for that one only. */
  ownedBy: z.string().optional(),
};
const attempt = {
  ...stamps,
  paymentId: providerIdSchema.optional(),
  reason: z.string().max(MAX_REASON_LENGTH).optional(),
};

/** Everything an order is about, fixed at its creation. What it remembers later begins with the same fields. */
export const orderTerms = {
  kind: orderKindSchema,
  userId: z.string(),
  plan: planTermsSchema,
  /** Null, like the account, where nothing is to be paid: of trials, gifts and imports. */
  provider: z.string().nullable(),
  /** The merchant's account at the provider. */
  account: z.string().nullable(),
  live: z.boolean(),
  amountMinor: z.int().min(0).max(MAX_AMOUNT_MINOR),
  currency: currencySchema,
};

export const orderCreatedSchema = z.object({ type: z.literal('order.created'), ...stamps, ...orderTerms });
/** The machine's input. */
export type OrderCreated = z.infer<typeof orderCreatedSchema>;

/**
 * An effect whose attempts are used up; dispatch adds those of the order to `retry.requested`, so that replay sees them
 * too.
 */
const deadEffectSchema = z.object({
  effect: z.string(),
  dedupKey: z.string(),
  payload: z.record(z.string(), z.unknown()),
});

export type DeadEffect = z.infer<typeof deadEffectSchema>;

const checkoutOpened = z.object({
  type: z.literal('checkout.opened'),
  ...stamps,
  providerOrderId: providerIdSchema,
  url: z.string().max(2048).optional(),
  /** A second name of the order that some providers need, because their order id alone is not accepted. */
  handle: providerIdSchema.optional(),
});
const checkoutRefused = z.object({ type: z.literal('checkout.refused'), ...stamps, reason: reasonSchema });
const paymentAuthorized = z.object({ type: z.literal('payment.authorized'), ...money });
const paymentCaptured = z.object({ type: z.literal('payment.captured'), ...money });
const paymentFailed = z.object({ type: z.literal('payment.failed'), ...attempt });
const paymentCanceled = z.object({ type: z.literal('payment.canceled'), ...attempt });
const refundUpdated = z.object({
  type: z.literal('refund.updated'),
  ...stamps,
  paymentId: providerIdSchema,
  refundId: providerIdSchema,
  state: z.enum(['pending', 'completed', 'failed']),
  amountMinor: amountMinorSchema,
  /** Why it failed, where somebody said so. */
  reason: z.string().max(MAX_REASON_LENGTH).optional(),
  /**
   * The key of our own effect that this refund answers: from now on the amount that was set aside counts as this
   * refund.
   */
  requestKey: z.string().min(1).max(MAX_REQUEST_KEY_LENGTH).optional(),
  /**
   * Set on a refund of ours that was not sent because there was no need for it any longer. Such a failure alerts
   * nobody.
   */
  unwanted: z.literal(true).optional(),
});
const disputeUpdated = z.object({
  type: z.literal('dispute.updated'),
  ...stamps,
  paymentId: providerIdSchema,
  disputeId: providerIdSchema,
  state: z.enum(['opened', 'won', 'lost']),
  amountMinor: amountMinorSchema,
});
const refundRequested = z.object({
  type: z.literal('refund.requested'),
  ...request,
  paymentId: providerIdSchema.optional(),
  amountMinor: amountMinorSchema.optional(),
});
const cancelRequested = z.object({ type: z.literal('cancel.requested'), ...request });
const retryRequested = z.object({
  type: z.literal('retry.requested'),
  ...request,
  dead: z.array(deadEffectSchema).optional(),
});
const deadlinePassed = z.object({
  type: z.literal('deadline.passed'),
  ...stamps,
  deadline: z.string(),
  setAtVersion: z.int().min(1),
});
const grantRecorded = z.object({ type: z.literal('grant.recorded'), ...stamps });

/** Everything an order that exists can be told. `order.created` is not among them: it makes the order. */
export const orderEventSchema = z.discriminatedUnion('type', [
  checkoutOpened,
  checkoutRefused,
  paymentAuthorized,
  paymentCaptured,
  paymentFailed,
  paymentCanceled,
  refundUpdated,
  disputeUpdated,
  refundRequested,
  cancelRequested,
  retryRequested,
  deadlinePassed,
  grantRecorded,
]);
export type OrderEvent = z.infer<typeof orderEventSchema>;
export type OrderEventType = OrderEvent['type'];
export type PaymentFact = z.infer<typeof paymentAuthorized> | z.infer<typeof paymentCaptured>;
export type RefundFact = z.infer<typeof refundUpdated>;
export type DisputeFact = z.infer<typeof disputeUpdated>;

type WithoutStamp<E> = E extends unknown ? Omit<E, 'at'> : never;
/** An event before dispatch has stamped `at` on it. */
export type UnstampedOrderEvent = WithoutStamp<OrderEvent>;

/** The events merchants and operators may send; the others belong to checkout, dispatch and the sweeper. */
export const sendableEvents = {
  'payment.authorized': paymentAuthorized.omit({ ownedBy: true }),
  'payment.captured': paymentCaptured.omit({ ownedBy: true }),
  'payment.failed': paymentFailed,
  'payment.canceled': paymentCanceled,
  'refund.updated': refundUpdated.omit({ requestKey: true, unwanted: true }),
  'dispute.updated': disputeUpdated,
  'refund.requested': refundRequested,
  'cancel.requested': cancelRequested,
  'retry.requested': retryRequested.omit({ dead: true }),
} as const;

/** Requests ask for something and can be illegal; everything else is a fact and never is. */
export const REQUEST_TYPES = ['cancel.requested', 'refund.requested', 'retry.requested'] as const;
export type RequestType = (typeof REQUEST_TYPES)[number];
export const isRequestType = (type: string): type is RequestType => (REQUEST_TYPES as readonly string[]).includes(type);
