// What a transition asks of the world, as rows for the outbox, and the money that is set aside for the refunds among them.
import { amountText } from './amountText.ts';
import { type PaymentRecord, refundableMinor } from './money.ts';
import type { OrderContext } from './orderContext.ts';
import type { DeadEffect, OrderCreated, OrderEvent } from './orderEvents.ts';
import type { EffectName, EffectsAsked } from './orderSetup.ts';
import type { GrantChange, Subscription } from './subscription.ts';

/** One row of the outbox. `dedupKey` is the idempotency key at the other side, the same for ever. */
export type Effect = {
  effect: EffectName;
  payload: Record<string, unknown>;
  dedupKey: string;
  orderVersion: number;
  /** Not before then; ISO 8601. */
  availableAt: string;
  /** Not written where another transition follows in the same commit. */
  unlessFollowed?: true;
};

type Action = { type: string; params?: unknown };
type Place = { id: string; version: number };

/**
 * The effects among these actions, each key once, at the version of the transition that asks for them. `before` is what the
 * order remembered before that transition; null when it is made by it.
 */
export function effectsOf(
  { id, version }: Place,
  event: OrderCreated | OrderEvent,
  actions: readonly Action[],
  before: OrderContext | null,
): Effect[] {
  const effects = new Map<string, Effect>();
  const add = (effect: Effect) => effects.has(effect.dedupKey) || effects.set(effect.dedupKey, effect);
  for (const { type, params } of actions) {
    if (type === 'effect') {
      for (const { effect, key, each, delayMs = 0, unlessFollowed, payload } of [params as EffectsAsked].flat()) {
        const dedupKey = `${id}:${key}${each ? `:${version}` : ''}`;
        const availableAt = new Date(Date.parse(event.at) + delayMs).toISOString();
        add({
          effect,
          payload,
          dedupKey,
          orderVersion: version,
          availableAt,
          ...(unlessFollowed && { unlessFollowed }),
        });
      }
    }
    if (type === 'rearmDead' && event.type === 'retry.requested' && before) {
      for (const dead of revivable(before.payments, event.dead ?? []))
        add({ ...(dead as Effect), orderVersion: version, availableAt: event.at });
    }
  }
  return [...effects.values()];
}

/** What a commit of these transitions, and no more, writes into the outbox. */
export function writtenEffects(steps: readonly { effects: readonly Effect[] }[]): Effect[] {
  return steps.flatMap(({ effects }, index) =>
    effects.filter(({ unlessFollowed }) => !unlessFollowed || index === steps.length - 1),
  );
}

/** The payments once each refund among these effects has its amount set aside; the same array when there is none. */
export function withRefundsSetAside(payments: PaymentRecord[], effects: readonly Effect[]): PaymentRecord[] {
  return effects
    .filter(({ effect }) => effect === 'refund')
    .reduce((known, refund) => setAside(known, refund) ?? known, payments);
}

/**
 * Which dead effects may be sent again: all but a refund whose money is no longer there. A refund that was answered with a
 * failure no longer has its amount set aside, and another refund may have taken that money since; both would then spend the
 * same. One whose amount is still set aside, or that the provider has under way already, takes nothing anew.
 */
export function revivable(payments: PaymentRecord[], dead: readonly DeadEffect[]): DeadEffect[] {
  let known = payments;
  return dead.filter(effect => {
    if (effect.effect !== 'refund') return true;
    const after = setAside(known, effect);
    known = after ?? known;
    return after !== null;
  });
}

/**
 * The payments with this refund's amount set aside: unchanged when it already is, null when the payment no longer holds
 * that much.
 */
function setAside(
  payments: PaymentRecord[],
  { dedupKey: key, payload }: Pick<Effect, 'dedupKey' | 'payload'>,
): PaymentRecord[] | null {
  const index = payments.findIndex(({ paymentId }) => paymentId === payload.paymentId);
  const payment = payments[index];
  const { amountMinor } = payload;
  if (!payment || typeof amountMinor !== 'number') return null;
  const isUnderWay = payment.refunds.some(entry => entry.requestKey === key && entry.state !== 'failed');
  if (isUnderWay || payment.asked.some(entry => entry.key === key)) return payments;
  if (refundableMinor(payment) < amountMinor) return null;
  return payments.with(index, { ...payment, asked: [...payment.asked, { key, amountMinor }] });
}

/**
 * What follows from the grant itself: the merchant hears of a period that continues another, an operator of a renewal
 * that was cancelled.
 */
export function noticesOfGrant(
  { id, version }: Place,
  context: OrderContext,
  { extended, subscription }: GrantChange,
  before: Subscription,
  at: string,
): Effect[] {
  const about = { userId: context.userId, product: context.plan.product, planId: context.plan.id };
  const endsAt = subscription.fold?.endsAt.toISOString();
  const row = { orderVersion: version, availableAt: at };
  const notices: Effect[] = [];
  if (extended) {
    const payload = { type: 'subscription.extended', ...about, endsAt };
    notices.push({ effect: 'notify', payload, dedupKey: `${id}:notify:subscription.extended:${version}`, ...row });
  }
  if (before.cancelAtEnd && context.kind === 'renewal') {
    const payload = {
      cause: 'renewed_after_cancel',
      eventType: 'grant.recorded',
      ...about,
      ...(context.providerSubscriptionId && { subscriptionId: context.providerSubscriptionId }),
      amountMinor: context.amountMinor,
      currency: context.currency,
      endsAt,
      detail: `${amountText(context.amountMinor, context.currency)} were charged to renew ${about.product} for ${about.userId} although it was cancelled at its end`,
    };
    notices.push({ effect: 'alert', payload, dedupKey: `${id}:alert:renewed_after_cancel:${version}`, ...row });
  }
  return notices;
}
