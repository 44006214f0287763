// The same facts about money, in whatever order and however often they arrive, end the same: the same state, the same
// books on every payment, the same paid time. Every permutation of small sets; shuffles
// with repetitions of large ones, whose seed fast-check prints.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Effect } from '../machines/effects.ts';
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { booksOf, expectMoneyExplained, expectNoForgottenMoney, expectOneGrant } from './support/books.ts';
import { AT, authorized, begin, captured, dispute, opened, orderFor, PRICE, refund, tell } from './support/given.ts';

type Facts = { ends: string; facts: UnstampedOrderEvent[] };
const part = (amountMinor: number, id = 'rf_1') => ({ amountMinor, id });
const ODD = 100;
const odd = (paymentId: string, amountMinor = ODD) => captured(paymentId, { amountMinor });
const dollars = (paymentId: string, amountMinor: number) => captured(paymentId, { amountMinor, currency: 'USD' });

/** In each set the facts stand as they happened, so that provider times can be given to them in that order. */
const SETS: Record<string, Facts> = {
  paid: { ends: 'subscribed', facts: [authorized('p'), captured('p')] },
  'paid twice': { ends: 'subscribed', facts: [captured('p'), captured('q')] },
  'paid three times': { ends: 'subscribed', facts: [captured('p'), captured('q'), captured('r')] },
  'refunded in parts, one missing': {
    ends: 'subscribed',
    facts: [captured('p'), refund('p', 'completed', part(100)), refund('p', 'completed', part(PRICE - 101, 'rf_2'))],
  },
  'refunded in parts': {
    ends: 'refunded',
    facts: [
      authorized('p'),
      captured('p'),
      refund('p', 'pending', part(100)),
      refund('p', 'completed', part(100)),
      refund('p', 'completed', part(PRICE - 100, 'rf_2')),
    ],
  },
  'a refund that failed in the end': {
    ends: 'subscribed',
    facts: [captured('p'), refund('p', 'pending'), refund('p', 'completed'), refund('p', 'failed')],
  },
  'a refund that failed and another that did not': {
    ends: 'refunded',
    facts: [
      captured('p'),
      refund('p', 'pending'),
      refund('p', 'failed'),
      refund('p', 'pending', { id: 'rf_2' }),
      refund('p', 'completed', { id: 'rf_2' }),
    ],
  },
  'a dispute that is open': { ends: 'subscribed', facts: [captured('p'), dispute('p', 'opened')] },
  'a dispute lost': { ends: 'refunded', facts: [captured('p'), dispute('p', 'opened'), dispute('p', 'lost')] },
  'a dispute lost and won after all': {
    ends: 'subscribed',
    facts: [captured('p'), dispute('p', 'opened'), dispute('p', 'lost'), dispute('p', 'won')],
  },
  'a part refunded, the rest lost and won': {
    ends: 'subscribed',
    facts: [
      captured('p'),
      refund('p', 'completed', part(900)),
      dispute('p', 'opened', { amountMinor: PRICE - 900 }),
      dispute('p', 'lost', { amountMinor: PRICE - 900 }),
      dispute('p', 'won', { amountMinor: PRICE - 900 }),
    ],
  },
  'paid twice, the first refunded': {
    ends: 'subscribed',
    facts: [captured('p'), captured('q'), refund('p', 'pending'), refund('p', 'completed')],
  },
  'paid twice, both refunded': {
    ends: 'refunded',
    facts: [
      captured('p'),
      captured('q'),
      refund('p', 'completed', part(100)),
      refund('p', 'completed', part(PRICE - 100, 'rf_2')),
      refund('q', 'completed', { id: 'rf_3' }),
    ],
  },
  'paid twice, one refunded, the other disputed, lost and won': {
    ends: 'subscribed',
    facts: [captured('p'), captured('q'), refund('p'), dispute('q', 'lost'), dispute('q', 'won')],
  },
  'paid twice, the second refunded and lost as well': {
    ends: 'subscribed',
    facts: [captured('p'), captured('q'), refund('q'), dispute('q', 'lost')],
  },
  'a wrong amount': { ends: 'parked', facts: [odd('w')] },
  'too little first, then the right amount, of one payment': { ends: 'subscribed', facts: [odd('p'), captured('p')] },
  'too much first, then the right amount, of one payment': {
    ends: 'subscribed',
    facts: [odd('p', PRICE + ODD), captured('p')],
  },
  'too much in another currency, then the right amount, of one payment': {
    ends: 'subscribed',
    facts: [dollars('p', PRICE + ODD), captured('p')],
  },
  'the right amount, then more, and the price refunded': {
    ends: 'subscribed',
    facts: [captured('p'), odd('p', PRICE + ODD), refund('p')],
  },
  'the right amount, then more, and all of it refunded': {
    ends: 'refunded',
    facts: [captured('p'), odd('p', PRICE + ODD), refund('p'), refund('p', 'completed', part(ODD, 'rf_2'))],
  },
  'a wrong payment, then a right one': { ends: 'subscribed', facts: [odd('w'), captured('p')] },
  'a wrong payment that went back': {
    ends: 'failed',
    facts: [odd('w'), refund('w', 'pending', part(ODD)), refund('w', 'completed', part(ODD))],
  },
  'a wrong payment that went back in parts': {
    ends: 'failed',
    facts: [odd('w'), refund('w', 'completed', part(40)), refund('w', 'completed', part(60, 'rf_2'))],
  },
  'a wrong payment whose refund failed in the end': {
    ends: 'parked',
    facts: [odd('w'), refund('w', 'completed', part(ODD)), refund('w', 'failed', part(ODD))],
  },
  'a wrong payment whose dispute was lost and won': {
    ends: 'parked',
    facts: [
      odd('w'),
      dispute('w', 'opened', part(ODD)),
      dispute('w', 'lost', part(ODD)),
      dispute('w', 'won', part(ODD)),
    ],
  },
  'two wrong payments, one back': {
    ends: 'parked',
    facts: [odd('w'), dollars('x', 7), refund('w', 'completed', part(ODD))],
  },
  'two wrong payments, both back': {
    ends: 'failed',
    facts: [odd('w'), dollars('x', 7), refund('w', 'completed', part(ODD)), refund('x', 'completed', part(7, 'rf_2'))],
  },
  'a wrong payment back, then a right one': {
    ends: 'subscribed',
    facts: [odd('w'), refund('w', 'completed', part(ODD)), captured('p')],
  },
  'a reservation, and a wrong payment that went back': {
    ends: 'authorized',
    facts: [authorized('a'), odd('w'), refund('w', 'pending', part(ODD)), refund('w', 'completed', part(ODD))],
  },
  'a reservation captured, and a wrong payment that went back': {
    ends: 'subscribed',
    facts: [authorized('p'), odd('w'), refund('w', 'completed', part(ODD)), captured('p')],
  },
  'a wrong payment held, a right one refunded': {
    ends: 'refunded',
    facts: [odd('w'), captured('p'), refund('p', 'pending'), refund('p', 'completed')],
  },
  'a wrong payment and a right one, both back': {
    ends: 'refunded',
    facts: [odd('w'), captured('p'), refund('p'), refund('w', 'completed', part(ODD, 'rf_2'))],
  },
};

/** Payments at one instant, so that the paid time starts the same whichever is heard first; the rest a minute apart. */
const withTimes = (facts: readonly UnstampedOrderEvent[]): UnstampedOrderEvent[] =>
  facts.map((fact, index) => {
    const minute = fact.type.startsWith('payment.') ? 0 : index + 1;
    return { ...fact, occurredAt: new Date(Date.parse(AT) - 3_000_000 + minute * 60_000).toISOString() };
  });

function endOf(facts: readonly UnstampedOrderEvent[]) {
  let { world } = begin(orderFor());
  const effects: Effect[] = [];
  for (const fact of [opened, ...facts]) {
    const next = tell(world, fact);
    world = next.world;
    effects.push(...next.decision.steps.flatMap(step => step.effects));
    expectOneGrant(world);
    expectMoneyExplained(world, effects);
    expectNoForgottenMoney(world);
  }
  return booksOf(world);
}

function* permutations<T>(list: readonly T[]): Generator<T[]> {
  if (list.length < 2) yield [...list];
  for (const [index, head] of list.entries()) {
    for (const rest of permutations(list.toSpliced(index, 1))) yield [head, ...rest];
  }
}

const told = (facts: readonly UnstampedOrderEvent[]) =>
  facts.map(fact => `${fact.type} ${JSON.stringify({ ...fact, type: undefined })}`).join('\n');

function expectSameEnd(facts: UnstampedOrderEvent[], arrival: UnstampedOrderEvent[], expected: object): void {
  let books: object;
  try {
    books = endOf(arrival);
  } catch (error) {
    throw new Error(`as it arrived:\n${told(arrival)}`, { cause: error });
  }
  expect(books, `as it arrived:\n${told(arrival)}\nas it happened:\n${told(facts)}`).toEqual(expected);
}

describe.each([
  ['without provider times', (facts: readonly UnstampedOrderEvent[]) => [...facts]],
  ['with provider times', withTimes],
])('every order of arrival, %s', (_, timed) => {
  test.each(Object.entries(SETS))('%s', (_, { ends, facts }) => {
    const happened = timed(facts);
    const expected = endOf(happened);
    expect(expected.state).toBe(ends);
    for (const arrival of permutations(happened)) expectSameEnd(happened, arrival, expected);
  });
});

/** How far one refund or dispute got, as it happened. */
const chain = <S extends string>(states: readonly S[]) => fc.nat(states.length).map(length => states.slice(0, length));
const story = (paymentId: string, amountMinor: number, currency = 'INR') =>
  fc
    .record({
      pays: fc.boolean(),
      grows: fc.boolean(),
      part: fc.constantFrom(amountMinor, Math.floor(amountMinor / 2)),
      first: chain(['pending', 'completed', 'failed'] as const),
      second: chain(['pending', 'completed'] as const),
      disputed: chain(['opened', 'lost', 'won'] as const),
    })
    .map(({ pays, grows, part, first, second, disputed }) => [
      ...(pays ? [captured(paymentId, { amountMinor, currency })] : []),
      ...(grows ? [captured(paymentId, { amountMinor: amountMinor + 1, currency })] : []),
      ...first.map(state => refund(paymentId, state, { amountMinor: part, id: `rf_1_${paymentId}` })),
      ...second.map(state => refund(paymentId, state, { amountMinor: amountMinor - 7, id: `rf_2_${paymentId}` })),
      ...disputed.map(state => dispute(paymentId, state, { amountMinor, id: `dp_${paymentId}` })),
    ]);
const stories = fc
  .tuple(story('p', PRICE), story('q', PRICE), story('w', ODD), story('x', ODD, 'USD'))
  .map(each => each.flat());

describe('stories of four payments, shuffled and with repetitions', () => {
  const shuffled = stories.chain(facts =>
    fc.tuple(
      fc.constant(facts),
      fc.boolean(),
      fc.array(fc.nat(), { maxLength: 5 }),
      fc.array(fc.nat(), { minLength: facts.length + 5, maxLength: facts.length + 5 }),
    ),
  );
  test('end the same', () => {
    const ends = new Set<string>();
    fc.assert(
      fc.property(shuffled, ([facts, timed, again, keys]) => {
        const happened = timed ? withTimes(facts) : facts;
        const repeated = again.flatMap(index => happened[index % happened.length] ?? []);
        const arrival = [...happened, ...repeated]
          .map((fact, index) => ({ fact, key: keys[index] ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ fact }) => fact);
        const expected = endOf(happened);
        ends.add(expected.state);
        expectSameEnd(happened, arrival, expected);
      }),
      { numRuns: 3_000 },
    );
    expect([...ends].sort()).toEqual(['created', 'failed', 'parked', 'refunded', 'subscribed']);
  });
});
