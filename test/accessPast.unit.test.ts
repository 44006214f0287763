// Access in the past is told as it was then. Random lives of a subscription (bought, renewed early, in grace and late,
// tried, refunded in the middle of a chain, restored, cancelled, bought again) are lived beside a naive one that only knows
// the present; what each was told then, and the dates in the end, must be what the whole history says afterwards.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accessAt, type Cancellation, type KnownGrant, type Restoration } from '../machines/access.ts';
import type { OrderKind } from '../machines/orderEvents.ts';
import { give, noSubscription, restore, revoke, type Subscription } from '../machines/subscription.ts';
import { type NaiveAnswer, NaiveSubscription } from './support/naiveSubscription.ts';

const DAY_MS = 86_400_000;
const LIVES = 2_000;

type Act = {
  what: 'give' | 'revoke' | 'restore' | 'cancel' | 'ask';
  kind: OrderKind;
  afterMs: number;
  paidBeforeMs: number;
  months: number;
  days: number;
  graceDays: number;
  which: number;
};
const act: fc.Arbitrary<Act> = fc
  .record({
    what: fc.constantFrom<Act['what'][]>('give', 'give', 'give', 'revoke', 'restore', 'cancel', 'ask', 'ask', 'ask'),
    kind: fc.constantFrom<OrderKind[]>('purchase', 'renewal', 'renewal', 'trial', 'surplus'),
    // Often at the same instant or within the paid time, often on the very edge of a day, at times long after all has lapsed.
    afterMs: fc.oneof(
      fc.constant(0),
      fc.nat(3 * DAY_MS),
      fc.integer({ min: 26, max: 33 }).map(days => days * DAY_MS),
      fc.nat(40).map(days => days * DAY_MS),
      fc.nat(100 * DAY_MS),
    ),
    paidBeforeMs: fc.oneof(fc.constant(0), fc.nat(3_600_000)),
    period: fc.constantFrom([1, 0], [1, 0], [3, 0], [12, 0], [0, 14], [0, 7]),
    graceDays: fc.constantFrom(0, 3, 10),
    which: fc.nat(),
  })
  .map(({ period: [months = 0, days = 0], ...rest }) => ({ ...rest, months, days }));

/** One life, lived twice; `told` is what the naive one said whenever it was asked. */
function live(acts: readonly Act[], startMs: number) {
  const naive = new NaiveSubscription();
  let subscription: Subscription = noSubscription('ada', 'pro');
  const cancellations: Cancellation[] = [];
  const restorations = new Map<string, Restoration[]>();
  const kinds: string[] = [];
  const told: { at: Date; answer: NaiveAnswer }[] = [];
  let nowMs = startMs;
  for (const { what, kind, afterMs, paidBeforeMs, months, days, graceDays, which } of acts) {
    nowMs += afterMs;
    const all = subscription.all ?? [];
    const chosen = all[which % all.length];
    const now = new Date(nowMs);
    if (what === 'give') {
      const orderId = `ord_${all.length + 1}`;
      const baseAt = new Date(nowMs - paidBeforeMs);
      const terms = { months, days, graceDays };
      const bought = { orderId, provider: null, paymentId: null, baseAt, ...terms, grantedAt: now };
      const given = give(subscription, bought, kind);
      subscription = given.subscription;
      kinds.push(kind);
      naive.give({ kind, paidAtMs: baseAt.getTime(), ...terms, graceDays: given.grants[0]?.graceDays ?? 0 });
    } else if (what === 'revoke' && chosen && !chosen.revokedAt) {
      subscription = revoke(subscription, chosen.orderId, now, 'refunded').subscription;
      naive.grants[chosen.seq - 1]!.isLive = false;
    } else if (what === 'restore' && chosen?.revokedAt) {
      const before = restorations.get(chosen.orderId) ?? [];
      restorations.set(chosen.orderId, [...before, { revokedAt: chosen.revokedAt, restoredAt: now }]);
      subscription = restore(subscription, chosen.orderId).subscription;
      naive.grants[chosen.seq - 1]!.isLive = true;
    } else if (what === 'cancel' && all.length > 0) {
      if (!subscription.cancelAtEnd) cancellations.push({ at: now, afterSeq: subscription.grants });
      subscription = { ...subscription, cancelAtEnd: true };
      naive.isCancelled = true;
    }
    // Whatever was asked in this very instant before the act is answered by what it is after it.
    while (told.at(-1)?.at.getTime() === nowMs) told.pop();
    told.push({ at: now, answer: naive.ask(nowMs) });
  }
  const known: KnownGrant[] = (subscription.all ?? []).map((grant, index) => ({
    ...grant,
    kind: kinds[index] ?? '',
    restorations: restorations.get(grant.orderId) ?? [],
  }));
  return { naive, subscription, known, told, cancelled: { cancelAtEnd: subscription.cancelAtEnd, cancellations } };
}

const lives = fc.tuple(
  fc.array(act, { minLength: 1, maxLength: 16 }),
  fc.nat(500).map(days => Date.parse('2027-10-31T10:00:00.000Z') + days * DAY_MS),
);
const ms = (date: Date | null) => date?.getTime() ?? null;

describe('random lives', () => {
  test('whatever was told at an instant is told of that instant for ever', () => {
    fc.assert(
      fc.property(lives, ([acts, startMs]) => {
        const { known, told, cancelled } = live(acts, startMs);
        for (const { at, answer } of told) {
          const { access, reason, until, graceUntil } = accessAt(known, at, cancelled);
          expect({ access, until: ms(until), graceUntil: ms(graceUntil) }, at.toISOString()).toEqual({
            access: answer.access,
            until: answer.until,
            graceUntil: answer.graceUntil,
          });
          if (access) expect(reason).toBe(answer.reason);
        }
      }),
      { numRuns: LIVES },
    );
  });

  test('the dates of the subscription and of each grant are those of the naive one', () => {
    fc.assert(
      fc.property(lives, ([acts, startMs]) => {
        const { naive, subscription } = live(acts, startMs);
        const periods = naive.periods();
        for (const { seq, revokedAt, startsAt, endsAt } of subscription.all ?? []) {
          const period = periods[seq - 1];
          expect(period === null).toBe(revokedAt !== null);
          if (period) expect([startsAt.getTime(), endsAt.getTime()]).toEqual([period.fromMs, period.toMs]);
        }
        expect(ms(subscription.fold?.endsAt ?? null)).toBe(periods.findLast(period => period !== null)?.toMs ?? null);
        expect(subscription.cancelAtEnd).toBe(naive.isCancelled);
      }),
      { numRuns: LIVES },
    );
  });

  test('among them are all that make a difference', () => {
    const seen = { restored: 0, takenBack: 0, cancelledInGrace: 0, revokedInside: 0 };
    for (const [acts, startMs] of fc.sample(lives, { numRuns: 3_000, seed: 4 })) {
      const { known, cancelled, subscription } = live(acts, startMs);
      seen.restored += Number(known.some(({ restorations = [] }) => restorations.length > 0));
      seen.takenBack += Number(!subscription.cancelAtEnd && cancelled.cancellations.length > 0);
      seen.cancelledInGrace += Number(
        cancelled.cancellations.some(
          ({ at }) => accessAt(known, new Date(at.getTime() - 1), cancelled).reason === 'in_grace',
        ),
      );
      seen.revokedInside += Number(known.some(({ seq, revokedAt }) => revokedAt && seq > 1 && seq < known.length));
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(20);
  });
});
