// May this user use this product at that instant? Every reason, and the instants at which one becomes the other.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accessAt, type KnownGrant, NOT_CANCELLED } from '../machines/access.ts';
import { foldGrants } from '../machines/periods.ts';
import { give, noSubscription, revoke, type Subscription } from '../machines/subscription.ts';

const day = (text: string) => new Date(text.length === 10 ? `${text}T10:00:00.000Z` : text);
const momentBefore = (text: string) => new Date(day(text).getTime() - 1);
type Bought = { at: string; months?: number; days?: number; graceDays?: number; kind?: string; revokedAt?: string };

/** Grants given one after the other, the revoked ones taken out afterwards, as the rows stand in the end. */
function grants(...list: Bought[]): KnownGrant[] {
  let subscription: Subscription = noSubscription('ada', 'pro');
  for (const [index, { at, months = 0, days = 0, graceDays = 3 }] of list.entries()) {
    const facts = { months: months || (days ? 0 : 1), days, graceDays };
    const bought = {
      orderId: `ord_${index + 1}`,
      provider: 'sandbox',
      paymentId: `pay_${index + 1}`,
      baseAt: day(at),
      ...facts,
    };
    subscription = give(subscription, { ...bought, grantedAt: day(at) }, 'purchase').subscription;
  }
  for (const [index, { revokedAt }] of list.entries())
    if (revokedAt) subscription = revoke(subscription, `ord_${index + 1}`, day(revokedAt), 'refunded').subscription;
  return (subscription.all ?? []).map((grant, index) => ({ ...grant, kind: list[index]?.kind ?? 'purchase' }));
}
const answer = (known: KnownGrant[], at: Date) => {
  const { access, reason } = accessAt(known, at);
  return [access, reason];
};

describe('nobody ever paid', () => {
  test('there is no access and nothing to show', () => {
    expect(accessAt([], day('2026-01-31'))).toEqual({
      access: false,
      until: null,
      graceUntil: null,
      reason: 'never_paid',
      grants: [],
    });
  });
  test('before the first grant was known, too', () => {
    expect(answer(grants({ at: '2026-01-31' }), momentBefore('2026-01-31'))).toEqual([false, 'never_paid']);
  });
});

describe('one month bought on 31 January with three days of grace', () => {
  const known = grants({ at: '2026-01-31' });
  test.each([
    ['as it was granted', day('2026-01-31'), [true, 'active']],
    ['a moment before it ends', momentBefore('2026-02-28'), [true, 'active']],
    ['as it ends', day('2026-02-28'), [true, 'in_grace']],
    ['a moment before grace ends', momentBefore('2026-03-03'), [true, 'in_grace']],
    ['as grace ends', day('2026-03-03'), [false, 'expired']],
    ['years later', day('2030-01-01'), [false, 'expired']],
  ])('%s', (_, at, expected) => expect(answer(known, at)).toEqual(expected));
  test('says until when, and on which grants it rests', () => {
    const { until, graceUntil, grants: rest } = accessAt(known, day('2026-02-01'));
    expect([until, graceUntil]).toEqual([day('2026-02-28'), day('2026-03-03')]);
    expect(rest).toEqual(known);
  });
  test('still says it when all is over', () => {
    expect(accessAt(known, day('2027-01-01'))).toMatchObject({
      until: day('2026-02-28'),
      graceUntil: day('2026-03-03'),
    });
  });
});

test('without grace it is over as it ends', () => {
  const known = grants({ at: '2026-01-31', graceDays: 0 });
  expect([answer(known, momentBefore('2026-02-28')), answer(known, day('2026-02-28'))]).toEqual([
    [true, 'active'],
    [false, 'expired'],
  ]);
});

describe('a trial and then a month', () => {
  const known = grants({ at: '2026-01-17', days: 14, kind: 'trial' }, { at: '2026-01-20' });
  test.each([
    ['the trial alone', day('2026-01-18'), [true, 'trial']],
    ['still the trial although the month is bought', day('2026-01-21'), [true, 'trial']],
    ['a moment before the trial ends', momentBefore('2026-01-31'), [true, 'trial']],
    ['the month begins', day('2026-01-31'), [true, 'active']],
    ['a moment before the month ends', momentBefore('2026-02-28'), [true, 'active']],
  ])('%s', (_, at, expected) => expect(answer(known, at)).toEqual(expected));
  test('before the month was bought it was not yet promised', () => {
    expect(accessAt(known, day('2026-01-18')).until).toEqual(day('2026-01-31'));
    expect(accessAt(known, day('2026-01-20')).until).toEqual(day('2026-02-28'));
  });
  test('grace after a trial that nobody extended', () => {
    expect(answer(grants({ at: '2026-01-17', days: 14, kind: 'trial' }), day('2026-02-01'))).toEqual([
      true,
      'in_grace',
    ]);
  });
});

describe('refunds', () => {
  const refunded = grants({ at: '2026-01-31', revokedAt: '2026-02-10' });
  test.each([
    ['before it', momentBefore('2026-02-10'), [true, 'active']],
    ['as it happens', day('2026-02-10'), [false, 'refunded']],
    ['long after all that could have been', day('2027-01-01'), [false, 'refunded']],
  ])('%s', (_, at, expected) => expect(answer(refunded, at)).toEqual(expected));
  test('show no dates and no grants when nothing is left', () => {
    expect(accessAt(refunded, day('2026-02-10'))).toMatchObject({ until: null, graceUntil: null, grants: [] });
  });

  const second = grants({ at: '2026-01-31' }, { at: '2026-02-10', revokedAt: '2026-02-20' });
  test.each([
    ['of the second month leave the first', day('2026-02-21'), [true, 'active']],
    ['and its grace', day('2026-03-01'), [true, 'in_grace']],
    ['are the reason while the second month would have run', day('2026-03-04'), [false, 'refunded']],
    ['as its grace would have ended the calendar is', day('2026-04-03'), [false, 'expired']],
  ])('%s', (_, at, expected) => expect(answer(second, at)).toEqual(expected));

  test('of the first month move the second to where it would have been', () => {
    const first = grants({ at: '2026-01-31', revokedAt: '2026-02-20' }, { at: '2026-02-10' });
    expect(accessAt(first, day('2026-02-15')).until).toEqual(day('2026-03-31'));
    expect(accessAt(first, day('2026-02-21'))).toMatchObject({
      until: day('2026-03-10'),
      grants: [{ orderId: 'ord_2', startsAt: day('2026-02-10') }],
    });
  });
});

describe('cancelled at its end, nobody noted when', () => {
  const known = grants({ at: '2026-01-31' });
  const at = (text: string, list = known) => {
    const { access, reason, until, graceUntil } = accessAt(list, day(text), { cancelAtEnd: true, cancellations: [] });
    return { access, reason, until, graceUntil };
  };
  test('nothing changes until the paid time ends', () => {
    const until = day('2026-02-28');
    expect(at('2026-02-27')).toEqual({ access: true, reason: 'active', until, graceUntil: until });
  });
  test('then there is no grace', () => {
    expect(at('2026-02-28')).toMatchObject({ access: false, reason: 'expired', graceUntil: day('2026-02-28') });
  });
  test('an instant that did not know of the last grant yet is answered as it was', () => {
    const two = grants({ at: '2026-01-31' }, { at: '2026-03-02' });
    expect(at('2026-03-01', two)).toMatchObject({ access: true, reason: 'in_grace', graceUntil: day('2026-03-03') });
    expect(at('2026-03-02', two)).toMatchObject({ access: true, reason: 'active', graceUntil: day('2026-03-31') });
  });
  test('so is one that did not know of the last refund yet', () => {
    const refunded = grants({ at: '2026-01-31' }, { at: '2026-02-10', revokedAt: '2026-04-02' });
    expect(at('2026-04-01', refunded)).toMatchObject({ access: true, reason: 'in_grace' });
    expect(at('2026-04-02', refunded)).toMatchObject({ access: false, reason: 'expired', until: day('2026-02-28') });
  });
  test('a refund is the reason only while the paid time would have run', () => {
    const refunded = grants({ at: '2026-01-31' }, { at: '2026-02-10', revokedAt: '2026-02-20' });
    expect(at('2026-03-30', refunded)).toMatchObject({ access: false, reason: 'refunded' });
    expect(at('2026-03-31', refunded)).toMatchObject({ access: false, reason: 'expired' });
  });
  test('whoever does not say so gets the grace', () => {
    expect(answer(known, day('2026-02-28'))).toEqual([true, 'in_grace']);
    expect(accessAt(known, day('2026-02-28'))).toEqual(accessAt(known, day('2026-02-28'), NOT_CANCELLED));
  });
});

test('a gap between two months is shown as it was then', () => {
  const known = grants({ at: '2026-01-31' }, { at: '2026-05-05' });
  expect(['2026-02-01', '2026-03-04', '2026-05-05', '2026-06-05'].map(at => answer(known, day(at))[1])).toEqual([
    'active',
    'expired',
    'active',
    'in_grace',
  ]);
});

describe('at any instant, for any grants', () => {
  const bought = fc.record({
    at: fc.integer({ min: 0, max: 300 }).map(offset => new Date(Date.UTC(2026, 0, 31 + offset)).toISOString()),
    months: fc.constantFrom(1, 3),
    graceDays: fc.constantFrom(0, 3),
    lost: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
  });
  const histories = fc.array(bought, { maxLength: 6 }).map(list =>
    grants(
      ...list
        .sort((a, b) => a.at.localeCompare(b.at))
        .map(({ lost, ...facts }) => ({
          ...facts,
          ...(lost !== undefined && { revokedAt: new Date(Date.parse(facts.at) + lost * 86_400_000).toISOString() }),
        })),
    ),
  );
  const instants = fc.integer({ min: -10, max: 500 }).map(offset => new Date(Date.UTC(2026, 0, 31 + offset, 12)));

  test('there is access exactly until the grace of the fold ends, and the reason agrees', () => {
    fc.assert(
      fc.property(histories, instants, (known, at) => {
        const { access, reason, until, graceUntil } = accessAt(known, at);
        const { fold } = foldGrants(known.filter(g => g.grantedAt <= at && (!g.revokedAt || g.revokedAt > at)));
        expect(until).toEqual(fold?.endsAt ?? null);
        expect(access).toBe(graceUntil !== null && at < graceUntil);
        expect(access).toBe(['active', 'trial', 'in_grace'].includes(reason));
        if (reason === 'never_paid') expect(known.filter(g => g.grantedAt <= at)).toEqual([]);
        if (reason === 'refunded') expect(known.some(g => g.revokedAt && g.revokedAt <= at)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
  test('the order in which the grants are read makes no difference', () => {
    fc.assert(
      fc.property(histories, instants, (known, at) => {
        expect(accessAt(known.toReversed(), at)).toEqual(accessAt(known, at));
      }),
      { numRuns: 500 },
    );
  });
});
