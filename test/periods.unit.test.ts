// Months, days, anchors, lapse and grace, to the millisecond; and what revoking and restoring do to the dates of others.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addMonths, type Bought, foldGrants, goesOn, graceEnd, step } from '../machines/periods.ts';
import { give, type NewGrant, noSubscription, restore, revoke, type Subscription } from '../machines/subscription.ts';

const day = (text: string) => new Date(text.length === 10 ? `${text}T10:00:00.000Z` : text);
const bought = (base: string, what: Partial<Bought> = { months: 1 }): Bought => ({
  baseAt: day(base),
  months: 0,
  days: 0,
  graceDays: 0,
  ...what,
});
const ends = (...grants: Bought[]) => foldGrants(grants).periods.map(({ endsAt }) => endsAt.toISOString().slice(0, 10));
const monthsFrom = (base: string, count: number) => ends(...Array.from({ length: count }, () => bought(base)));

describe('months', () => {
  test.each([
    ['2026-01-31', 1, '2026-02-28'],
    ['2026-01-31', 2, '2026-03-31'],
    ['2026-01-31', 3, '2026-04-30'],
    ['2028-01-31', 1, '2028-02-29'],
    ['2000-01-31', 1, '2000-02-29'],
    ['2100-01-31', 1, '2100-02-28'],
    ['2028-02-29', 12, '2029-02-28'],
    ['2028-02-29', 48, '2032-02-29'],
    ['2026-12-31', 2, '2027-02-28'],
    ['2026-11-30', 3, '2027-02-28'],
    ['2026-05-15', 120, '2036-05-15'],
    ['2026-03-31', 0, '2026-03-31'],
  ])('%s and %i months is %s', (from, months, expected) => {
    expect(addMonths(day(from), months)).toEqual(day(expected));
  });
  test('keep the time of day to the millisecond', () => {
    expect(addMonths(day('2026-01-31T23:59:59.999Z'), 1)).toEqual(day('2026-02-28T23:59:59.999Z'));
    expect(addMonths(day('2026-01-31T00:00:00.000Z'), 1)).toEqual(day('2026-02-28T00:00:00.000Z'));
  });
  test('never fall into the month after, whatever the day', () => {
    const instant = fc.date({ min: day('1990-01-01'), max: day('2090-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(instant, fc.integer({ min: 0, max: 60 }), (from, months) => {
        const to = addMonths(from, months);
        const monthsApart = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
        expect(monthsApart).toBe(months);
        expect(to.getUTCDate()).toBeLessThanOrEqual(from.getUTCDate());
        if (to.getUTCDate() < from.getUTCDate()) expect(new Date(to.getTime() + 86_400_000).getUTCDate()).toBe(1);
        expect(to.getTime() % 86_400_000).toBe(from.getTime() % 86_400_000);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('grants one on top of the other', () => {
  test('renewals bought on 31 January come back to the 31st', () => {
    expect(monthsFrom('2026-01-31', 5)).toEqual(['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31', '2026-06-30']);
  });
  test('in a leap year February has its 29th', () => {
    expect(monthsFrom('2028-01-31', 2)).toEqual(['2028-02-29', '2028-03-31']);
  });
  test('renewals paid on their own days stack without gap or overlap', () => {
    const { periods } = foldGrants([bought('2026-01-31'), bought('2026-02-20'), bought('2026-03-31T09:59:59.999Z')]);
    expect(periods.map(({ startsAt }) => startsAt)).toEqual([day('2026-01-31'), day('2026-02-28'), day('2026-03-31')]);
  });
  test('a year and a month count from one anchor', () => {
    expect(ends(bought('2028-02-29', { months: 12 }), bought('2028-02-29'))).toEqual(['2029-02-28', '2029-03-29']);
  });
  test('a 14-day trial from 17 January is followed by 31 January to 28 February', () => {
    const trial = bought('2026-01-17', { days: 14 });
    expect(ends(trial, bought('2026-01-20'), bought('2026-01-20'))).toEqual(['2026-01-31', '2026-02-28', '2026-03-31']);
  });
  test('days between months move the anchor to their end', () => {
    expect(ends(bought('2026-01-31'), bought('2026-02-01', { days: 2 }), bought('2026-02-01'))).toEqual([
      '2026-02-28',
      '2026-03-02',
      '2026-04-02',
    ]);
  });
  test('days are 24 hours each, also where clocks change', () => {
    expect(ends(bought('2026-03-28', { days: 1 }), bought('2026-03-28', { days: 1 }))).toEqual([
      '2026-03-29',
      '2026-03-30',
    ]);
  });
});

describe('lapse and grace', () => {
  const paid = foldGrants([bought('2026-01-31', { months: 1, graceDays: 3 })]).fold;
  test.each([
    ['a moment before the paid time ends', '2026-02-28T09:59:59.999Z', true],
    ['as the paid time ends, in grace', '2026-02-28T10:00:00.000Z', true],
    ['a moment before grace ends', '2026-03-03T09:59:59.999Z', true],
    ['as grace ends', '2026-03-03T10:00:00.000Z', false],
    ['long after', '2026-07-01T10:00:00.000Z', false],
  ])('a payment %s goes on: %s → %s', (_, at, expected) => {
    expect(goesOn(paid, day(at))).toBe(expected);
    const next = step(paid, bought(at));
    expect(next.startsAt).toEqual(expected ? day('2026-02-28') : day(at));
    expect(next.endsAt).toEqual(expected ? day('2026-03-31') : addMonths(day(at), 1));
    expect(next.fold.anchorAt).toEqual(expected ? day('2026-01-31') : day(at));
  });
  test('without grace a payment at the very end starts anew there, without a gap', () => {
    const { fold } = foldGrants([bought('2026-01-31')]);
    const next = step(fold, bought('2026-02-28'));
    expect([goesOn(fold, day('2026-02-28')), next.startsAt, next.endsAt]).toEqual([
      false,
      day('2026-02-28'),
      day('2026-03-28'),
    ]);
  });
  test('grace is the one bought with the last grant', () => {
    const { fold } = foldGrants([bought('2026-01-31', { months: 1, graceDays: 30 }), bought('2026-02-01')]);
    expect(fold && graceEnd(fold)).toEqual(day('2026-03-31'));
  });
  test('nothing goes on from nothing', () => expect(goesOn(null, day('2026-01-31'))).toBe(false));
});

/** A grant of each kind that plans may sell, paid within a few months of each other. */
const anyGrant: fc.Arbitrary<Omit<NewGrant, 'orderId'>> = fc
  .record({
    baseAt: fc.integer({ min: 0, max: 200 * 86_400 }).map(s => new Date(Date.parse('2027-12-15T00:00:00Z') + s * 1000)),
    period: fc.constantFrom(
      { months: 1, days: 0 },
      { months: 3, days: 0 },
      { months: 12, days: 0 },
      { months: 0, days: 14 },
      { months: 0, days: 7 },
    ),
    graceDays: fc.constantFrom(0, 3, 10),
  })
  .map(({ baseAt, period, graceDays }) => ({
    baseAt,
    ...period,
    graceDays,
    provider: 'sandbox',
    paymentId: null,
    grantedAt: baseAt,
  }));
const action = fc.record({
  what: fc.constantFrom('give', 'give', 'revoke', 'restore'),
  grant: anyGrant,
  which: fc.nat(),
});

function play(actions: { what: string; grant: Omit<NewGrant, 'orderId'>; which: number }[]): Subscription {
  let subscription = noSubscription('ada', 'pro');
  for (const { what, grant, which } of actions) {
    const orderIds = subscription.all?.map(known => known.orderId) ?? [];
    const orderId = orderIds[which % orderIds.length];
    if (what === 'give' || orderId === undefined)
      subscription = give(subscription, { ...grant, orderId: `ord_${orderIds.length + 1}` }, 'purchase').subscription;
    else if (what === 'revoke')
      subscription = revoke(subscription, orderId, day('2029-01-01'), 'refunded').subscription;
    else subscription = restore(subscription, orderId).subscription;
  }
  return subscription;
}

describe('revoking and restoring', () => {
  test('the subscription becomes what it would be had the order never been', () => {
    const three = ['2026-01-31', '2026-02-10', '2026-02-15'].map((base, index) => ({
      what: 'give',
      which: 0,
      grant: { ...bought(base), provider: null, paymentId: null, grantedAt: day(base) },
      index,
    }));
    const without = revoke(play(three), 'ord_2', day('2026-02-20'), 'refunded');
    expect(without.subscription.fold?.endsAt).toEqual(day('2026-03-31'));
    expect(without.grants.map(grant => grant.orderId)).toEqual(['ord_2', 'ord_3']);
    expect(without.subscription.all?.map(grant => grant.seq)).toEqual([1, 2, 3]);
  });
  test('the last grant revoked leaves no paid time and its number taken', () => {
    const none = revoke(
      play([
        {
          what: 'give',
          which: 0,
          grant: { ...bought('2026-01-31'), provider: null, paymentId: null, grantedAt: day('2026-01-31') },
        },
      ]),
      'ord_1',
      day('2026-02-01'),
      'refunded',
    );
    expect(none.subscription).toMatchObject({ fold: null, grants: 1 });
  });
  test('an order without a grant, or grants that were not loaded, are bugs', () => {
    expect(() => revoke(noSubscription('ada', 'pro'), 'ord_9', day('2026-01-01'), 'refunded')).toThrow(
      /no grant to revoke/,
    );
    expect(() => restore({ ...noSubscription('ada', 'pro'), all: null }, 'ord_1')).toThrow(/were not loaded/);
  });
  test('revoke then restore is as if nothing had been, and only what changed is written', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 15 }), fc.nat(), (actions, which) => {
        const before = play(actions);
        const live = before.all?.filter(grant => !grant.revokedAt) ?? [];
        const chosen = live[which % live.length];
        if (!chosen) return;
        const revoked = revoke(before, chosen.orderId, day('2029-02-02'), 'refunded');
        const back = restore(revoked.subscription, chosen.orderId);
        expect(back.subscription).toEqual(before);
        expect(back.grants.map(grant => grant.orderId)).toEqual(revoked.grants.map(grant => grant.orderId));
        expect(revoked.grants.map(grant => grant.orderId)).toContain(chosen.orderId);
      }),
      { numRuns: 2_000 },
    );
  });
  test('what was counted step by step is the fold of the live grants, and no two periods overlap', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 15 }), actions => {
        const { fold, all } = play(actions);
        const live = (all ?? []).filter(grant => !grant.revokedAt);
        const folded = foldGrants(live);
        expect(fold).toEqual(folded.fold);
        expect(live.map(({ startsAt, endsAt }) => [startsAt, endsAt])).toEqual(
          folded.periods.map(({ startsAt, endsAt }) => [startsAt, endsAt]),
        );
        expect((all ?? []).map(grant => grant.seq)).toEqual((all ?? []).map((_, index) => index + 1));
        for (const grant of live) expect(grant.endsAt.getTime()).toBeGreaterThan(grant.startsAt.getTime());
      }),
      { numRuns: 2_000 },
    );
  });
});
