// The phrases of the order chart: what it answers, what it asks of the world, and the cells that several states share.
import { type Answer, type Asked, type EffectParams, type GrantParams, refundTarget } from './orderSetup.ts';

const answer = (verdict: Answer['verdict'], detail?: string) =>
  ({ type: 'answer', params: { verdict, detail } }) as const;
export const says = (verdict: Answer['verdict'], detail?: string) => ({ actions: [answer(verdict, detail)] }) as const;
export const grant = (change: GrantParams['change']) => ({ type: 'grant', params: { change } }) as const;
const effect = (params: (asked: Asked) => EffectParams) => ({ type: 'effect', params }) as const;
const paymentIdOf = ({ event }: Asked) => ('paymentId' in event && event.paymentId) || '';

// Effects. The key makes an effect one of its kind: asking again for `capture:pay_1` is the same capture.
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
const voidThis = effect(asked => voidPayment(paymentIdOf(asked)));
export const voidAuthorized = effect(({ context }) => voidPayment(context.authorizedBy ?? ''));
export const voidReserved = effect(({ context }) =>
  voidPayment(context.payments.find(p => p.state === 'authorized')?.paymentId ?? ''),
);
export const reconcile = effect(({ context }) => ({
  effect: 'reconcile',
  key: 'reconcile',
  each: true,
  payload: { paymentId: context.authorizedBy },
}));
const refund = effect(asked => ({
  effect: 'refund',
  key: 'refund',
  each: true,
  payload: { ...refundTarget(asked) },
}));
export const notify = (topic: string) =>
  effect(({ context }) => ({
    effect: 'notify',
    key: `notify:${topic}`,
    each: true,
    payload: { type: topic, userId: context.userId, product: context.plan.product, planId: context.plan.id },
  }));
export const alert = (cause: string) =>
  effect(asked => {
    const { type, at, ...about } = asked.event;
    return { effect: 'alert', key: `alert:${cause}`, each: true, payload: { cause, eventType: type, ...about } };
  });
/** What a surplus payment is owed, by the policy the plan had when it was bought. */
const settleSurplus = effect(asked => {
  const { context, event } = asked;
  const paymentId = paymentIdOf(asked);
  const payload = {
    cause: 'surplus',
    paymentId,
    amountMinor: 'amountMinor' in event ? event.amountMinor : context.amountMinor,
  };
  if (context.plan.surplusPolicy === 'refund') return { effect: 'refund', key: `refund:surplus:${paymentId}`, payload };
  if (context.plan.surplusPolicy === 'extend')
    return { effect: 'open', key: `open:surplus:${paymentId}`, payload: { ...payload, kind: 'surplus' } };
  return { effect: 'alert', key: `alert:surplus_held:${paymentId}`, payload };
});

export const mismatch = [
  'hear',
  {
    type: 'answer',
    params: ({ context, event }: Asked): Answer => ({
      verdict: 'mismatch',
      detail:
        'currency' in event
          ? `${event.amountMinor} ${event.currency} (account ${event.account ?? context.account}, ${(event.live ?? context.live) ? 'live' : 'test'}) where the order costs ${context.amountMinor} ${context.currency} (account ${context.account}, ${context.live ? 'live' : 'test'})`
          : 'the payment is not what the order costs',
    }),
  },
  alert('mismatch'),
] as const;
export const surplus = [
  'hear',
  answer('surplus', 'the order is already paid by another payment'),
  settleSurplus,
  alert('surplus'),
] as const;
export const surplusReserved = [
  'hear',
  answer('surplus', 'the order is already paid by another payment'),
  voidThis,
] as const;

/** The money is another order's: this one neither keeps it nor waits for it, but somebody must look. */
export const elsewhere = {
  guard: 'belongsElsewhere',
  actions: [
    {
      type: 'answer',
      params: ({ event }: Asked): Answer => ({
        verdict: 'mismatch',
        detail: `the payment belongs to order ${'ownedBy' in event ? event.ownedBy : 'unknown'}`,
      }),
    },
    alert('mismatch'),
  ],
} as const;

// Cells that several states share.
export const known = { guard: 'nothingNew', ...says('duplicate') } as const;
export const toldBefore = [{ guard: 'olderFact', ...says('stale') }, known] as const;
export const heard = { actions: ['hear'] } as const;
export const recorded = {
  'refund.updated': [...toldBefore, heard],
  'dispute.updated': [...toldBefore, { actions: ['hear', alert('dispute')] }],
} as const;
export const opening = [
  { guard: 'openedAsThis', ...says('duplicate') },
  { guard: 'notOpened', actions: ['open'] },
  says('stale'),
] as const;
/** Opened only after the order had ended: recorded, and closed again so that nobody pays for nothing. */
export const openedLate = [
  opening[0],
  { guard: 'notOpened', actions: ['open', 'noteClosed', close] },
  says('stale'),
] as const;
export const openedWhilePaid = [opening[0], { guard: 'notOpened', actions: ['open'] }, says('stale')] as const;
export const noGrantYet = { 'grant.recorded': says('stale') } as const;
export const noDeadline = { 'deadline.passed': says('stale') } as const;
export const lateAttempts = {
  'payment.failed': says('stale'),
  'payment.canceled': says('stale'),
  'checkout.refused': says('stale'),
} as const;
export const noRefund = (detail: string) => ({ 'refund.requested': says('illegal', detail) }) as const;
export const rearmOr = (detail: string) =>
  [{ guard: 'effectIsDead', actions: ['rearmDead'] }, says('illegal', detail)] as const;
export const refundOr = (detail: string) =>
  [{ guard: 'refundable', actions: [refund] }, says('illegal', detail)] as const;
export const NOTHING_TO_RETRY = 'nothing has failed that could be tried again';
export const NOTHING_TO_REFUND = 'no captured payment holds that much money';
export const REFUND_INSTEAD = 'the money has arrived; request a refund instead';

// What money means to an order, before it is paid and after.
/** An unpaid order is paid: it moves on, or, if the money has gone back before we heard of it, straight to refunded. */
export const paid = [
  elsewhere,
  known,
  { guard: 'fitsAndPays', target: 'captured', actions: ['hear'] },
  { guard: 'fits', target: 'refunded', actions: ['hear'] },
] as const;
/** The same while another payment is reserved: that one is let go. */
export const paidWhileReserved = [
  elsewhere,
  known,
  { guard: 'anotherPays', target: 'captured', actions: ['hear', voidAuthorized, 'voidAuthorization'] },
  { guard: 'anotherFits', target: 'refunded', actions: ['hear', voidAuthorized, 'voidAuthorization'] },
  ...paid,
] as const;
export const oddPayment = [
  { guard: 'oddMoneyIsBack', target: 'failed', actions: mismatch },
  { target: 'parked', actions: mismatch },
] as const;
/** A granted order hears of money again: more of it is surplus, and what is odd stays odd. */
export const paidAgain = {
  'payment.authorized': [
    elsewhere,
    { guard: 'isCapturedPayment', ...says('stale') },
    known,
    { guard: 'fits', actions: surplusReserved },
    { actions: mismatch },
  ],
  'payment.captured': [elsewhere, known, { guard: 'fits', actions: surplus }, { actions: mismatch }],
  'refund.updated': [...toldBefore, { guard: 'moneyGone', target: 'refunded', actions: ['hear'] }, heard],
  'dispute.updated': [
    ...toldBefore,
    { guard: 'moneyGone', target: 'refunded', actions: ['hear', alert('dispute')] },
    { actions: ['hear', alert('dispute')] },
  ],
} as const;
export const moneyReturns = [
  { guard: 'moneyBackAgain', target: 'subscribed', actions: ['hear', grant('restore')] },
  { guard: 'moneyLeft', target: 'captured', actions: ['hear'] },
] as const;
