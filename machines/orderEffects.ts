// What the order chart asks of the world: each effect with its key and its payload, and for alerts the sentence that a
// person reads.
import { amountText } from './amountText.ts';
import { askAgainAfterMs, LATE_CAPTURE_QUESTION } from './askSchedule.ts';
import { knownState, net, refundableMinor } from './money.ts';
import { type Asked, type EffectParams, type EffectsAsked, openReservations, refundTarget } from './orderSetup.ts';

const effect = (params: (asked: Asked) => EffectsAsked) => ({ type: 'effect', params }) as const;
const paymentIdOf = ({ event }: Asked) => ('paymentId' in event && event.paymentId) || '';
const paymentOf = (asked: Asked) => asked.context.payments.find(payment => payment.paymentId === paymentIdOf(asked));

// The key says which effects are the same one: asking for `capture:pay_1` twice is asking for one capture.
export const capture = effect(({ context: { authorizedBy, amountMinor, currency } }) => ({
  effect: 'capture',
  key: `capture:${authorizedBy}`,
  payload: { paymentId: authorizedBy, amountMinor, currency },
}));
export const close = effect(({ context }) => ({
  effect: 'close',
  key: 'close',
  payload: { providerOrderId: context.providerOrderId, handle: context.providerHandle },
}));
const voidPayment = (paymentId: string): EffectParams => ({
  effect: 'void',
  key: `void:${paymentId}`,
  payload: { paymentId },
});
export const voidThis = effect(asked => voidPayment(paymentIdOf(asked)));
/** Lets every authorisation go that still stands, except that of the payment which is heard of now. */
export const voidReservations = effect(asked =>
  openReservations(asked.context.payments, paymentIdOf(asked)).map(({ paymentId }) => voidPayment(paymentId)),
);
/** Asks the provider about an authorisation that was neither captured nor ended in time. */
export const reconcile = effect(({ context }) => ({
  effect: 'reconcile',
  key: 'reconcile',
  each: true,
  payload: { paymentId: context.authorizedBy },
}));
/**
 * Asks about the whole order, for the case that it stays silent. The handler puts the later questions by the same
 * schedule.
 */
export const askLater = effect(() => ({
  effect: 'reconcile',
  key: 'reconcile',
  delayMs: askAgainAfterMs(0),
  payload: {},
}));
export const refund = effect(asked => ({
  effect: 'refund',
  key: 'refund',
  each: true,
  payload: { ...refundTarget(asked) },
}));
const notice = ({ context }: Asked, topic: string, more: Record<string, unknown> = {}): EffectParams => ({
  effect: 'notify',
  key: `notify:${topic}`,
  each: true,
  payload: { type: topic, userId: context.userId, product: context.plan.product, planId: context.plan.id, ...more },
});
export const notify = (topic: string) => effect(asked => notice(asked, topic));
export const notifyStuck = effect(asked =>
  notice(asked, 'order.stuck', { cause: isTimer(asked) ? 'unanswered' : 'mismatch' }),
);

/** A deadline reaches the chart under the engine's own name for it. */
const isTimer = ({ event }: Asked) => event.type.startsWith('xstate.after.');

const account = (name: string | null, live: boolean) => `account ${name}, ${live ? 'live' : 'test'}`;

/** Why a payment, or what came back of one, is not what this order waits for. */
export function mismatchSentence({ context, event }: Asked): string {
  if ('ownedBy' in event && event.ownedBy) return `the payment belongs to order ${event.ownedBy}`;
  if (!('currency' in event))
    return `money of payment ${paymentIdOf({ context, event })} is held again that is not what the order costs`;
  const told = `${amountText(event.amountMinor, event.currency)} (${account(event.account ?? context.account, event.live ?? context.live)})`;
  const costs = `${amountText(context.amountMinor, context.currency)} (${account(context.account, context.live)})`;
  return `${told} where the order costs ${costs}`;
}

function surplusSentence(asked: Asked): string {
  const { context } = asked;
  const id = paymentIdOf(asked);
  if (context.passedOn.includes(id))
    return `payment ${id} came although the order is paid, and becomes an order of its own`;
  if (spare(asked) === 0)
    return `payment ${id} came although the order had been paid before; nothing of it is left over`;
  const fate = context.plan.surplusPolicy === 'hold' ? 'is held until somebody decides' : 'is to be refunded';
  return `payment ${id} came although the order is paid already, and ${fate}`;
}

function disputeSentence(asked: Asked): string {
  const { event } = asked;
  if (event.type !== 'dispute.updated') return 'a dispute has changed';
  const currency = paymentOf(asked)?.currency ?? asked.context.currency;
  return `dispute ${event.disputeId} about ${amountText(event.amountMinor, currency)} of payment ${event.paymentId} is ${event.state}`;
}

function refundFailedSentence(asked: Asked): string {
  const { event } = asked;
  if (event.type !== 'refund.updated') return 'a refund has failed';
  const currency = paymentOf(asked)?.currency ?? asked.context.currency;
  const why = event.reason ? `: ${event.reason}` : '';
  return `refund ${event.refundId} of ${amountText(event.amountMinor, currency)} from payment ${event.paymentId} failed, the money has not gone back${why}`;
}

const SENTENCES = {
  mismatch: mismatchSentence,
  surplus: surplusSentence,
  surplus_held: surplusSentence,
  dispute: disputeSentence,
  refund_failed: refundFailedSentence,
  unanswered: ({ context }: Asked) =>
    `payment ${context.authorizedBy} is reserved and not captured, and after ${context.asked} questions the provider has not settled it`,
  capture_late: ({ context }: Asked) =>
    `payment ${context.authorizedBy} has been reserved for a day and is not captured; its provider gives the money back by itself after some days`,
  grant_overdue: ({ context }: Asked) => `the order is paid and still not granted; this is try ${context.grantTries}`,
} as const;
export type AlertCause = keyof typeof SENTENCES;

/** The fact itself, the currency it is counted in, and what to say about it. */
function alertAbout(asked: Asked, cause: AlertCause): Record<string, unknown> {
  const { type, at: _, ...about } = asked.event;
  const isMoneyBack = 'amountMinor' in about && !('currency' in about);
  return {
    cause,
    eventType: isTimer(asked) ? 'deadline.passed' : type,
    ...(isTimer(asked) && asked.context.authorizedBy && { paymentId: asked.context.authorizedBy }),
    ...about,
    ...(isMoneyBack && { currency: paymentOf(asked)?.currency ?? asked.context.currency }),
    detail: SENTENCES[cause](asked),
  };
}
export const alert = (cause: AlertCause) =>
  effect(asked => ({ effect: 'alert', key: `alert:${cause}`, each: true, payload: alertAbout(asked, cause) }));
/**
 * Tells operator and merchant once in an order's life, and only when the try fails: with a grant that succeeds there is
 * nothing to tell.
 */
export const tellOfMissingGrant = effect(asked => {
  const { payload } = notice(asked, 'order.stuck', { cause: 'grant_failed' });
  return [
    { effect: 'alert', key: 'alert:grant_overdue', unlessFollowed: true, payload: alertAbout(asked, 'grant_overdue') },
    { effect: 'notify', key: 'notify:order.stuck:grant', unlessFollowed: true, payload },
  ];
});
/**
 * Tells somebody long before the questions are over: after three to seven days providers give back what was reserved
 * and not captured.
 */
export const alertOfLateCapture = effect(asked =>
  asked.context.asked === LATE_CAPTURE_QUESTION
    ? {
        effect: 'alert',
        key: `alert:capture_late:${asked.context.authorizedBy}`,
        payload: alertAbout(asked, 'capture_late'),
      }
    : [],
);
/**
 * Tells of a refund that has failed, and has a pending one asked about until it is over, because its last webhook may never
 * come. Stands before `hear` in every cell: it compares with what is known so far, so that the same failure is told once.
 */
export const followRefund = effect(asked => {
  const { context, event } = asked;
  if (event.type !== 'refund.updated') return [];
  const { state, paymentId, refundId, requestKey, unwanted } = event;
  if (state === 'pending') {
    const payload = { paymentId, refundId, ...(requestKey !== undefined && { requestKey }) };
    return { effect: 'reconcile', key: `reconcile:refund:${refundId}`, delayMs: askAgainAfterMs(0), payload };
  }
  if (state !== 'failed' || unwanted || knownState(context.payments, event) === 'failed') return [];
  return { effect: 'alert', key: 'alert:refund_failed', each: true, payload: alertAbout(asked, 'refund_failed') };
});

/**
 * How much of this payment is more than the order costs: all that can be refunded of it, or 0 when no other payment
 * pays for the order.
 */
function spare(asked: Asked): number {
  const payment = paymentOf(asked);
  const amountMinor = payment ? refundableMinor(payment) : 0;
  return net(asked.context.payments) > amountMinor ? amountMinor : 0;
}

/**
 * A payment that pays a second time is sent back, or held for somebody to decide, as the plan said when it was bought. One
 * that this order had heard of before it was captured cannot be passed on any more, and is sent back like the others.
 */
export const settleSurplus = effect(asked => {
  const paymentId = paymentIdOf(asked);
  const amountMinor = spare(asked);
  // One alert is enough: the one about money that is held also says that the payment is surplus.
  if (amountMinor > 0 && asked.context.plan.surplusPolicy === 'hold')
    return { effect: 'alert', key: `alert:surplus_held:${paymentId}`, payload: alertAbout(asked, 'surplus_held') };
  const told: EffectParams = {
    effect: 'alert',
    key: 'alert:surplus',
    each: true,
    payload: alertAbout(asked, 'surplus'),
  };
  if (amountMinor === 0) return told;
  const payload = { cause: 'surplus', paymentId, amountMinor };
  return [{ effect: 'refund', key: `refund:surplus:${paymentId}`, payload }, told];
});
/**
 * A payment that pays a second time becomes an order of its own, whose id is derived from the payment's (decision
 * 0010).
 */
export const openSurplus = effect(asked => {
  const { event } = asked;
  if (event.type !== 'payment.captured') return [];
  const { paymentId, amountMinor, currency, occurredAt } = event;
  return {
    effect: 'open',
    key: `open:surplus:${paymentId}`,
    payload: { cause: 'surplus', kind: 'surplus', paymentId, amountMinor, currency, ...(occurredAt && { occurredAt }) },
  };
});
