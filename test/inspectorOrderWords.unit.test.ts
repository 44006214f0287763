// What the page of one order says in words: what it waits for, what became of an event, what its money comes to, and why
// there is access or none.
import { describe, expect, test } from 'vitest';
import type { EffectRow, GrantRow, PaymentRow } from '../db/inspect/orderPageRows.ts';
import type { OrderRow } from '../db/orders.ts';
import { type CancelledRow, explainAccess, explainAccessNow } from '../src/inspector/order/accessWords.ts';
import { equationOf } from '../src/inspector/order/equation.ts';
import { readPageQuery } from '../src/inspector/order/pageQuery.ts';
import { compareTruth } from '../src/inspector/order/truth.ts';
import { whatBecame } from '../src/inspector/order/verdictWords.ts';
import { type WaitingOrder, type Words, waitsFor } from '../src/inspector/order/waitsFor.ts';
import type { Stuck } from '../src/ports.ts';

const NOW = new Date('2026-01-31T10:00:00.000Z');
const said = (words: Words) => words.map(word => (typeof word === 'string' ? word : word.at)).join('');

const order = (state: string, more: Partial<OrderRow> = {}): OrderRow => ({
  id: 'ord_1',
  kind: 'purchase',
  userId: 'alice',
  planId: 'pro-monthly',
  product: 'pro',
  provider: 'sandbox',
  providerOrderId: 'sbo_1',
  amountMinor: 49_900,
  currency: 'INR',
  machine: 'order.v1',
  state,
  version: 3,
  snapshot: null,
  wakeAt: null,
  grantError: null,
  returnUrl: null,
  createdAt: NOW,
  updatedAt: NOW,
  stateSince: NOW,
  parkedDetail: null,
  deadEffects: [],
  keptSince: null,
  ...more,
});
const effect = (more: Partial<EffectRow> = {}): EffectRow => ({
  id: 'eff_1',
  effect: 'capture',
  payload: { paymentId: 'pay_1' },
  status: 'pending',
  attempts: 0,
  lastError: null,
  availableAt: '2026-01-31T10:00:40.000Z',
  leasedUntil: null,
  doneAt: null,
  orderVersion: 3,
  dedupKey: 'ord_1:capture:pay_1',
  ...more,
});
const waiting = (state: string, more: Partial<WaitingOrder> = {}) =>
  waitsFor({ order: order(state), openEffects: [], grants: [], live: null, stuck: null, now: NOW, ...more });
const grant = (more: Partial<GrantRow> = {}): GrantRow => ({
  orderId: 'ord_1',
  userId: 'alice',
  product: 'pro',
  kind: 'purchase',
  seq: 1,
  provider: 'sandbox',
  paymentId: 'pay_1',
  baseAt: '2026-01-31T10:00:00.000Z',
  months: 1,
  days: 0,
  graceDays: 3,
  startsAt: '2026-01-31T10:00:00.000Z',
  endsAt: '2026-02-28T10:00:00.000Z',
  grantedAt: '2026-01-31T10:00:00.000Z',
  revokedAt: null,
  revokeReason: null,
  restorations: [],
  ...more,
});

describe('what an order waits for', () => {
  test('a capture that failed three times is named with its last error and its next try', () => {
    const told = waiting('authorized', { openEffects: [effect({ attempts: 3, lastError: 'no answer from sandbox' })] });
    expect(said(told.sentence)).toBe('Waits for the capture of pay_1.');
    expect(told.detail).toBe('Its third try ended with: no answer from sandbox');
    expect(told.next).toEqual({ what: 'next try', at: '2026-01-31T10:00:40.000Z' });
  });

  test('the oldest effect that is not over is what it waits for, because the others wait for that one', () => {
    const openEffects = [effect({ id: 'eff_2', effect: 'refund', payload: {}, orderVersion: 4 }), effect()];
    expect(said(waiting('subscribed', { openEffects }).sentence)).toBe('Waits for the capture of pay_1.');
  });

  test('an effect that somebody runs now is said to run', () => {
    const openEffects = [effect({ attempts: 2, lastError: 'timed out', leasedUntil: '2026-01-31T10:00:30.000Z' })];
    expect(waiting('authorized', { openEffects }).detail).toBe(
      'Its second try runs now. The one before ended with: timed out',
    );
  });

  test('an order that waits for nothing says so and until when it is paid', () => {
    expect(said(waiting('subscribed', { grants: [grant()] }).sentence)).toBe(
      'Nothing to wait for: subscribed until 2026-02-28T10:00:00.000Z.',
    );
    expect(said(waiting('failed').sentence)).toBe('Nothing to wait for: it was not paid.');
  });

  test('a merchant who could not be told is not forgotten beside an order at rest', () => {
    const openEffects = [
      effect({ effect: 'notify', payload: { type: 'order.subscribed' }, attempts: 1, lastError: 'answered 500' }),
    ];
    expect(waiting('subscribed', { openEffects }).detail).toBe(
      'The merchant does not know yet: telling the merchant order.subscribed. Its first try ended with: answered 500',
    );
  });

  test('a grant that the database refuses says so first, and then in whose words', () => {
    const stuck = {
      cause: 'grant_failed',
      detail: 'relation "grants" is read-only',
      since: NOW.toISOString(),
    } as const;
    expect(waiting('captured', { stuck }).detail).toBe('The database said: relation "grants" is read-only.');
  });

  test.each<[Stuck['cause'], string | null, string]>([
    ['grant_failed', null, 'Stuck: it is paid, and the grant cannot be written.'],
    ['parked', '500 INR where the order costs 499', 'Stuck: a person must decide about this order.'],
    ['effect_dead', null, 'Stuck: the capture of pay_1 was given up.'],
    ['deadline_passed', null, 'Overdue: the deadline of created has passed, and nobody has heard it.'],
    ['snapshot_unreadable', 'no chart', 'Stuck: the order cannot be read, so nothing is decided on it.'],
  ])('an order that is stuck for %s says so', (cause, detail, sentence) => {
    const stuck = { cause, detail, since: NOW.toISOString() };
    const told = waiting('created', {
      stuck,
      openEffects: [effect({ status: 'dead', attempts: 12, lastError: 'no balance' })],
    });
    expect(said(told.sentence)).toBe(sentence);
    expect(told.tone).toBe('bad');
    if (cause === 'effect_dead') expect(told.detail).toBe('Given up after 12 tries: no balance');
  });
});

test('every verdict is told in words, and what was not applied says why and where the order was', () => {
  const row = { detail: 'too many failed attempts on this order', appliedVersion: null };
  expect(whatBecame({ ...row, verdict: 'stale' }, 'failed')).toBe(
    'Not applied, it came too late to matter: too many failed attempts on this order. The order was failed.',
  );
  const verdicts = [
    'applied',
    'duplicate',
    'stale',
    'illegal',
    'mismatch',
    'surplus',
    'unmatched',
    'foreign',
    'parked',
    'ignored',
  ];
  const sentences = verdicts.map(verdict => whatBecame({ verdict, detail: null, appliedVersion: null }, null));
  expect(new Set(sentences).size).toBe(verdicts.length);
  for (const [i, sentence] of sentences.entries()) expect(sentence, verdicts[i]).toMatch(/^[A-Z].*\.$/);
});

describe('the money equation', () => {
  const payment = (more: Partial<PaymentRow> = {}): PaymentRow => ({
    paymentId: 'pay_1',
    provider: 'sandbox',
    state: 'captured',
    currency: 'INR',
    capturedMinor: 49_900,
    refundedMinor: 0,
    lostMinor: 0,
    counts: true,
    asOf: null,
    ...more,
  });
  const of = (payments: PaymentRow[], price = 49_900) =>
    equationOf({ order: { amountMinor: price, currency: 'INR' }, payments, refunds: [] }, null, null);

  test.each([
    ['paid', [payment()]],
    ['partial', [payment({ refundedMinor: 10_000 })]],
    ['nothing', [payment({ refundedMinor: 40_000, lostMinor: 9_900 })]],
    ['unfit', [payment({ counts: false })]],
    ['nothing', []],
    ['surplus', [payment(), payment({ paymentId: 'pay_2' })]],
  ])('comes to %s', (meaning, payments) => {
    expect(of(payments).meaning).toBe(meaning);
  });

  test('its terms add up, also where more went back of a payment than came', () => {
    const { captured, refunded, lost, over, net } = of([
      payment({ refundedMinor: 49_900, lostMinor: 49_900 }),
      payment({ paymentId: 'pay_2' }),
    ]);
    expect({ captured, refunded, lost, over, net }).toEqual({
      captured: 99_800,
      refunded: 49_900,
      lost: 49_900,
      over: 49_900,
      net: 49_900,
    });
    expect(captured - refunded - lost + over).toBe(net);
  });

  test('money that is held beside it and does not pay for it is named', () => {
    expect(of([payment({ counts: false, capturedMinor: 50_000 })]).beside).toEqual([
      { paymentId: 'pay_1', heldMinor: 50_000, currency: 'INR' },
    ]);
  });

  test('a snapshot that counts other money than the books is told', () => {
    const books = { order: { amountMinor: 49_900, currency: 'INR' }, payments: [payment()], refunds: [] };
    expect(equationOf(books, [], 0).disagrees).toBe(0);
    expect(equationOf(books, [], 49_900).disagrees).toBeNull();
  });
});

describe('why there is access or none', () => {
  const at = (iso: string, grants: GrantRow[], cancelled: CancelledRow = { cancelAtEnd: false, cancellations: [] }) =>
    explainAccess(grants, new Date(iso), cancelled);
  const steps = (explained: ReturnType<typeof at>) => explained.steps.map(said).join(' ');

  test('the grant that covers the instant is named', () => {
    const told = at('2026-02-10T00:00:00.000Z', [grant()]);
    expect(told).toMatchObject({ access: true, grants: [{ word: 'covers it' }] });
    expect(steps(told)).toContain('Grant 1 covers this instant');
  });

  test('the days of grace, and their end, are told', () => {
    expect(said(at('2026-03-01T00:00:00.000Z', [grant()]).headline)).toMatch(/^Yes, in grace/);
    const over = at('2026-03-04T00:00:00.000Z', [grant()]);
    expect(over.access).toBe(false);
    expect(steps(over)).toContain('The days of grace ended on 2026-03-03T10:00:00.000Z');
  });

  const wish = { at: '2026-02-20T00:00:00.000Z', afterSeq: 1, reason: 'moving away', by: 'support/anna' };
  test('a subscription cancelled at its end has no days of grace: when, by whom and why is said', () => {
    const cancelled = { cancelAtEnd: true, cancellations: [wish] };
    const told = at('2026-03-01T00:00:00.000Z', [grant()], cancelled);
    expect(told.access).toBe(false);
    expect(steps(told)).toContain(
      'It had been cancelled at its end on 2026-02-20T00:00:00.000Z (by support/anna: moving away), so there were no days of grace.',
    );
    expect(steps(at('2026-02-21T00:00:00.000Z', [grant()], cancelled))).toContain('so no days of grace follow');
    expect(steps(at('2026-02-19T00:00:00.000Z', [grant()], cancelled))).not.toContain('cancelled');
  });

  test('an instant in the days of grace before the cancellation had access, and the later cancellation is told', () => {
    const late = { ...wish, at: '2026-03-02T00:00:00.000Z', by: null };
    const told = at('2026-03-01T00:00:00.000Z', [grant()], { cancelAtEnd: true, cancellations: [late] });
    expect(told.access).toBe(true);
    expect(steps(told)).toContain('It was cancelled at its end only later, on 2026-03-02T00:00:00.000Z.');
    expect(at('2026-03-02T00:00:00.000Z', [grant()], { cancelAtEnd: true, cancellations: [late] }).access).toBe(false);
  });

  test('a cancellation that a purchase took back is the reason until then, and none afterwards', () => {
    const again = grant({
      orderId: 'ord_2',
      seq: 2,
      grantedAt: '2026-03-02T00:00:00.000Z',
      baseAt: '2026-03-02T00:00:00.000Z',
    });
    const cancelled = { cancelAtEnd: false, cancellations: [wish] };
    expect(steps(at('2026-03-01T00:00:00.000Z', [grant(), again], cancelled))).toContain(
      'so there were no days of grace',
    );
    const after = at('2026-04-01T00:00:00.000Z', [grant(), again], cancelled);
    expect(said(after.headline)).toMatch(/^Yes, in grace/);
    expect(steps(after)).not.toContain('cancelled');
  });

  test('where nobody noted when it was cancelled, that is said instead of an instant', () => {
    const told = at('2026-03-01T00:00:00.000Z', [grant()], { cancelAtEnd: true, cancellations: [] });
    expect(steps(told)).toContain('cancelled at its end (since when was not noted)');
  });

  test('while the money was gone the grant did not count, and that it came back is said', () => {
    const stretch = { revokedAt: '2026-02-05T00:00:00.000Z', restoredAt: '2026-02-10T00:00:00.000Z' };
    const won = [grant({ restorations: [stretch] })];
    expect(['04', '05', '09', '10'].map(day => at(`2026-02-${day}T00:00:00.000Z`, won).access)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const between = at('2026-02-06T00:00:00.000Z', won);
    expect(said(between.headline)).toBe('No, the money for it went back.');
    expect(steps(between)).toContain(
      'Grant 1 does not count: revoked on 2026-02-05T00:00:00.000Z. The money came back, and with it the grant, on 2026-02-10T00:00:00.000Z.',
    );
    expect(between.grants).toMatchObject([{ word: 'revoked', startsAt: null }]);
  });

  test('now, what a clock that is ahead has written counts, as for the API; at that instant, it had not happened', () => {
    const now = new Date('2026-02-10T00:00:00.000Z');
    const soon = '2026-02-10T00:00:02.000Z';
    const none = { cancelAtEnd: false, cancellations: [] };
    const paid = [grant({ grantedAt: soon })];
    expect(explainAccessNow(paid, now, none)).toMatchObject({ access: true, grants: [{ word: 'covers it' }] });
    expect(steps(explainAccessNow(paid, now, none))).not.toContain('given only later');
    expect(at(now.toISOString(), paid)).toMatchObject({ access: false, grants: [{ word: 'later' }] });
    const back = [grant({ revokedAt: soon, revokeReason: 'refunded' })];
    expect(explainAccessNow(back, now, none)).toMatchObject({ access: false, grants: [{ word: 'revoked' }] });
    expect(at(now.toISOString(), back).access).toBe(true);
  });

  test('a revoked grant gives access before it was revoked and none after, with the reason', () => {
    const revoked = [grant({ revokedAt: '2026-02-05T00:00:00.000Z', revokeReason: 'refunded' })];
    expect(at('2026-02-04T00:00:00.000Z', revoked).access).toBe(true);
    const after = at('2026-02-06T00:00:00.000Z', revoked);
    expect(after).toMatchObject({ access: false, grants: [{ word: 'revoked' }] });
    expect(said(after.headline)).toBe('No, the money for it went back.');
    expect(steps(after)).toContain('Grant 1 does not count: revoked on 2026-02-05T00:00:00.000Z (refunded).');
  });

  test('before anything was granted, the first grant that came later is named', () => {
    const told = at('2026-01-01T00:00:00.000Z', [grant()]);
    expect(said(told.headline)).toBe('No, nothing had been granted by then.');
    expect(steps(told)).toContain('One grant was given only later, the first on 2026-01-31T10:00:00.000Z.');
    expect(said(at('2026-01-01T00:00:00.000Z', []).headline)).toBe('No, nothing was ever granted.');
  });
});

test('our books and the provider’s are compared entry by entry', () => {
  const ours = {
    payments: [
      {
        paymentId: 'pay_1',
        provider: 'p',
        state: 'captured',
        currency: 'INR',
        capturedMinor: 100,
        refundedMinor: 0,
        lostMinor: 0,
        counts: true,
        asOf: null,
      },
    ],
    refunds: [{ id: 'rfd_1', paymentId: 'pay_1', state: 'pending', amountMinor: 40, currency: 'INR', asOf: null }],
    disputes: [],
  };
  const there = (more: object) => [
    {
      paymentId: 'pay_1',
      providerOrderId: 'o',
      orderId: null,
      state: 'captured' as const,
      amountMinor: 100,
      currency: 'INR',
      refunds: [{ refundId: 'rfd_1', state: 'pending' as const, amountMinor: 40 }],
      ...more,
    },
  ];
  const differs = (theirs: Parameters<typeof compareTruth>[1]) =>
    compareTruth(ours, theirs, new Map()).flatMap(row => row.differs.map(words => `${row.id} ${words}`));
  expect(differs(there({}))).toEqual([]);
  expect(differs(there({ state: 'failed' }))).toEqual(['pay_1 state: captured here, failed there']);
  expect(differs(there({ amountMinor: 99 }))).toEqual(['pay_1 amount']);
  expect(differs(there({ refunds: [] }))).toEqual(['rfd_1 the provider did not tell of it']);
  expect(differs([])).toContain('pay_1 the provider did not tell of it');
  const another = { ...there({})[0]!, paymentId: 'pay_2', refunds: [] };
  expect(differs([...there({}), another])).toEqual(['pay_2 it is not in our books']);
  expect(differs([...there({}), { ...another, state: 'failed' as const }]), 'an attempt that moved nothing').toEqual(
    [],
  );
});

test('addresses that were cut or bent show the page as it is, never an error', () => {
  const of = (text: string) => readPageQuery(new URLSearchParams(text));
  for (const text of [
    'before=x',
    'before=2026-02-30 10:00:00%2B00~1~k',
    'effects_before=1',
    'versions_before=-1',
    'show=<b>',
  ])
    expect(of(text), text).toEqual({ show: 'all', before: null, versionsBefore: null, effectsBefore: null, at: null });
  expect(of('at=2026-02-30T10:00').at).toEqual({ text: '2026-02-30T10:00', instant: null });
  expect(of('at=2026-02-28T10:00').at?.instant?.toISOString()).toBe('2026-02-28T10:00:00.000Z');
  expect(of('before=2026-01-31 10:00:00.123456%2B00~2~0000000003').before).toEqual({
    instant: '2026-01-31 10:00:00.123456+00',
    rank: 2,
    key: '0000000003',
  });
});
