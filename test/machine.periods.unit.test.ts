// Paid time through the machine: trials that turn into paid time, renewals early, in grace and lapsed, what ends at its end.
import { describe, expect, test } from 'vitest';
import { accessAt } from '../machines/access.ts';
import { decide, decideCreation } from '../machines/decide.ts';
import type { OrderCreated, OrderKind, UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { readOrder, stateName } from '../machines/snapshot.ts';
import { noSubscription, type Subscription } from '../machines/subscription.ts';
import { authorized, captured, failed, orderFor, PLAN, refund } from './support/given.ts';

const day = (text: string) => new Date(text.length === 10 ? `${text}T10:00:00.000Z` : text);
const TRIAL = { ...PLAN, months: 0, days: 14, graceDays: 0, amountMinor: 0 };

/** One user's orders for one product, one after the other; each is told of its payment at the instant it is made. */
function account() {
  let subscription: Subscription = noSubscription('ada', 'pro');
  const kinds = new Map<string, string>();
  const made = (at: string, more: Partial<OrderCreated>) => {
    const id = `ord_${kinds.size + 1}`;
    kinds.set(id, more.kind ?? 'purchase');
    return { id, created: orderFor({ ...more, at: day(at).toISOString() }) };
  };
  const tellAll = (at: string, more: Partial<OrderCreated>, events: UnstampedOrderEvent[]) => {
    const { id, created } = made(at, more);
    let { order } = decideCreation(id, created, subscription);
    for (const event of events) {
      const decision = decide(order, { at: day(at).toISOString(), ...event }, subscription);
      order = decision.order;
      subscription = decision.grant?.subscription ?? subscription;
    }
    return order;
  };
  return {
    /** As it is done: transition 1 alone is written with the order, and the grant follows when the order is driven. */
    startTrial(at: string) {
      const { id, created } = made(at, { kind: 'trial', provider: null, account: null, amountMinor: 0, plan: TRIAL });
      const [first, ...more] = decideCreation(id, created, subscription).steps;
      if (!first) throw new Error('an order begins with a transition');
      expect([first.to, ...more.map(step => step.to)]).toEqual(['captured', 'subscribed']);
      const { version, snapshot } = first;
      const order = readOrder({ id, version, machine: 'order.v1', snapshot: JSON.parse(JSON.stringify(snapshot)) });
      const driven = decide(order, { type: 'retry.requested', reason: 'x', at: created.at }, subscription);
      subscription = driven.grant?.subscription ?? subscription;
      return driven;
    },
    pay(at: string, kind: OrderKind = 'purchase', graceDays = 3) {
      return tellAll(at, { kind, plan: { ...PLAN, graceDays } }, [captured(`pay_${kinds.size + 1}`)]);
    },
    tellAll,
    cancelAtEnd: () => {
      subscription = { ...subscription, cancelAtEnd: true };
    },
    get subscription() {
      return subscription;
    },
    periods: () => (subscription.all ?? []).map(grant => [grant.startsAt, grant.endsAt].map(dateOf).join(' → ')),
    access(at: string) {
      const known = (subscription.all ?? []).map(grant => ({ ...grant, kind: kinds.get(grant.orderId) ?? '' }));
      const { access, reason } = accessAt(known, day(at), { cancelAtEnd: subscription.cancelAtEnd, cancellations: [] });
      return [access, reason];
    },
  };
}
const dateOf = (at: Date) => at.toISOString().slice(0, 10);

describe('a trial of 14 days from 17 January', () => {
  test('is granted when the order that was made is driven', () => {
    const { verdict, steps, grant } = account().startTrial('2026-01-17');
    expect([verdict, steps.map(step => `${step.from} → ${step.to}`)]).toEqual([
      'applied',
      ['captured → captured', 'captured → subscribed'],
    ]);
    expect(grant).toMatchObject({ change: 'give', grants: [{ days: 14, months: 0, graceDays: 0, paymentId: null }] });
  });
  test('is a trial while it runs, and over without grace as it ends', () => {
    const ada = account();
    ada.startTrial('2026-01-17');
    expect([ada.access('2026-01-17'), ada.access('2026-01-31T09:59:59.999Z'), ada.access('2026-01-31')]).toEqual([
      [true, 'trial'],
      [true, 'trial'],
      [false, 'expired'],
    ]);
  });
  test.each(['2026-01-17', '2026-01-20', '2026-01-31T09:59:59.999Z'])('bought on %s loses no day of it', at => {
    const ada = account();
    ada.startTrial('2026-01-17');
    ada.pay(at);
    ada.pay(at);
    expect(ada.periods()).toEqual(['2026-01-17 → 2026-01-31', '2026-01-31 → 2026-02-28', '2026-02-28 → 2026-03-31']);
    expect(ada.access('2026-01-30')).toEqual([true, 'trial']);
    expect(ada.access('2026-02-01')).toEqual([true, 'active']);
  });
  test('bought after its end begins with the purchase', () => {
    const ada = account();
    ada.startTrial('2026-01-17');
    ada.pay('2026-02-02');
    expect(ada.periods()).toEqual(['2026-01-17 → 2026-01-31', '2026-02-02 → 2026-03-02']);
  });
  test('stays what it was when the purchase is refunded', () => {
    const ada = account();
    ada.startTrial('2026-01-17');
    ada.tellAll('2026-01-20', {}, [captured('pay_2'), refund('pay_2')]);
    expect(ada.access('2026-01-21')).toEqual([true, 'trial']);
    expect(ada.access('2026-02-01')).toEqual([false, 'refunded']);
  });
});

describe('a month from 31 January with three days of grace is renewed', () => {
  const renewed = (at: string) => {
    const ada = account();
    ada.pay('2026-01-31');
    ada.pay(at, 'renewal');
    return ada.periods().at(-1);
  };
  test.each([
    ['early', '2026-02-10', '2026-02-28 → 2026-03-31'],
    ['as it ends', '2026-02-28', '2026-02-28 → 2026-03-31'],
    ['in grace', '2026-03-02', '2026-02-28 → 2026-03-31'],
    ['in the last moment of grace', '2026-03-03T09:59:59.999Z', '2026-02-28 → 2026-03-31'],
    ['as grace has ended, it begins anew', '2026-03-03', '2026-03-03 → 2026-04-03'],
    ['long after, it begins anew', '2026-05-31', '2026-05-31 → 2026-06-30'],
  ])('%s', (_, at, period) => expect(renewed(at)).toBe(period));
  test('month by month, on the last day of each', () => {
    const ada = account();
    for (const at of ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']) ada.pay(at, 'renewal');
    expect(ada.periods().map(period => period.slice(-10))).toEqual([
      '2026-02-28',
      '2026-03-31',
      '2026-04-30',
      '2026-05-31',
      '2026-06-30',
    ]);
  });
});

describe('grace is bought with the last grant and counted from its end', () => {
  const graceEnds = (ada: ReturnType<typeof account>, inside: string, after: string) => {
    expect(ada.access(inside)).toEqual([true, 'in_grace']);
    expect(ada.access(after)).toEqual([false, 'expired']);
  };
  test('a renewal that fails, and fails again, moves nothing', () => {
    const ada = account();
    ada.pay('2026-01-31');
    const before = ada.subscription;
    for (const at of ['2026-02-28', '2026-03-01', '2026-03-02']) {
      const order = ada.tellAll(at, { kind: 'renewal' }, [failed('pay_x'), failed('pay_y'), failed('pay_x')]);
      expect(stateName(order)).toBe('failed');
      graceEnds(ada, '2026-03-03T09:59:59.999Z', '2026-03-03');
    }
    expect(ada.subscription).toBe(before);
  });
  test('neither does one that is only reserved, of the wrong amount, or gone back before it was heard', () => {
    const ada = account();
    ada.pay('2026-01-31');
    const before = ada.subscription;
    ada.tellAll('2026-03-01', { kind: 'renewal' }, [authorized('pay_x')]);
    ada.tellAll('2026-03-01', { kind: 'renewal' }, [captured('pay_y', { amountMinor: 1 })]);
    ada.tellAll('2026-03-01', { kind: 'renewal' }, [refund('pay_z'), captured('pay_z')]);
    expect(ada.subscription).toBe(before);
    graceEnds(ada, '2026-03-03T09:59:59.999Z', '2026-03-03');
  });
  test('the same payment told a hundred times is one month', () => {
    const ada = account();
    ada.tellAll(
      '2026-01-31',
      {},
      Array.from({ length: 100 }, () => captured('pay_1')),
    );
    expect(ada.periods()).toEqual(['2026-01-31 → 2026-02-28']);
  });
  test('a later plan with other grace counts from then on', () => {
    const ada = account();
    ada.pay('2026-01-31');
    ada.pay('2026-02-10', 'purchase', 1);
    graceEnds(ada, '2026-04-01T09:59:59.999Z', '2026-04-01');
  });
  test('a renewal that recovers in grace goes on where the paid time ended', () => {
    const ada = account();
    ada.pay('2026-01-31');
    ada.tellAll('2026-03-02', { kind: 'renewal' }, [failed('pay_x'), captured('pay_y')]);
    expect(ada.periods().at(-1)).toBe('2026-02-28 → 2026-03-31');
    graceEnds(ada, '2026-04-03T09:59:59.999Z', '2026-04-03');
  });
});

describe('cancelled at its end', () => {
  const cancelled = () => {
    const ada = account();
    ada.pay('2026-01-31');
    ada.cancelAtEnd();
    return ada;
  };
  test('the paid time runs out, and no grace follows', () => {
    const ada = cancelled();
    expect([ada.access('2026-02-28T09:59:59.999Z'), ada.access('2026-02-28')]).toEqual([
      [true, 'active'],
      [false, 'expired'],
    ]);
  });
  test.each(['purchase', 'trial', 'surplus', 'gift', 'import'] as const)('a %s takes it back', kind => {
    const ada = cancelled();
    ada.pay('2026-02-10', kind);
    expect(ada.subscription.cancelAtEnd).toBe(false);
    expect(ada.access('2026-04-01')).toEqual([true, 'in_grace']);
  });
  test('a renewal does not', () => {
    const ada = cancelled();
    ada.pay('2026-02-28', 'renewal');
    expect(ada.subscription.cancelAtEnd).toBe(true);
    expect([ada.access('2026-03-30'), ada.access('2026-03-31')]).toEqual([
      [true, 'active'],
      [false, 'expired'],
    ]);
  });
  test('a refund leaves it as it is', () => {
    const ada = cancelled();
    ada.pay('2026-02-10', 'renewal');
    const before = ada.subscription.cancelAtEnd;
    ada.tellAll('2026-02-11', { kind: 'renewal' }, [captured('pay_3'), refund('pay_3'), refund('pay_3', 'failed')]);
    expect([before, ada.subscription.cancelAtEnd]).toEqual([true, true]);
  });
});
