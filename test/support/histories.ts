// Lives of orders as fast-check makes them: any events, in any order, some of them told again later.
import fc from 'fast-check';
import type { OrderCreated } from '../../machines/orderEvents.ts';
import {
  AT,
  askCancel,
  askRefund,
  askRetry,
  authorized,
  canceled,
  captured,
  deadline,
  dispute,
  failed,
  opened,
  openedAs,
  orderFor,
  PLAN,
  PRICE,
  recorded,
  refund,
  refused,
  type Told,
  trial,
} from './given.ts';

const paymentId = fc.constantFrom('p', 'p', 'q', 'r');
const amountMinor = fc.constantFrom(PRICE, PRICE, PRICE, 100, PRICE + 100);
const occurredAt = fc.option(
  fc.integer({ min: -90, max: 5 }).map(minute => new Date(Date.parse(AT) + minute * 60_000).toISOString()),
  { nil: undefined },
);
const currency = fc.constantFrom('INR', 'INR', 'INR', 'USD');
const payment = fc
  .record({ make: fc.constantFrom(authorized, captured, captured), paymentId, amountMinor, currency, occurredAt })
  .map(({ make, paymentId, occurredAt, ...more }) => make(paymentId, { ...more, ...(occurredAt && { occurredAt }) }));
const moved = { paymentId, amountMinor: fc.constantFrom(PRICE, 100, PRICE - 100), occurredAt };
const refunds = fc
  .record({
    ...moved,
    id: fc.constantFrom('rf_1', 'rf_2'),
    state: fc.constantFrom('pending', 'completed', 'completed', 'failed'),
  })
  .map(({ paymentId, state, id, occurredAt, ...more }) =>
    refund(paymentId, state, { ...more, id: `${id}_${paymentId}`, ...(occurredAt && { occurredAt }) }),
  );
const disputes = fc
  .record({ ...moved, state: fc.constantFrom('opened', 'won', 'lost') })
  .map(({ paymentId, state, occurredAt, ...more }) =>
    dispute(paymentId, state, { ...more, id: `dp_${paymentId}`, ...(occurredAt && { occurredAt }) }),
  );
const requests = fc.oneof(
  fc.constant(askCancel),
  fc
    .record({
      paymentId: fc.option(paymentId, { nil: undefined }),
      amountMinor: fc.option(fc.constantFrom(1, PRICE), { nil: undefined }),
    })
    .map(({ paymentId, amountMinor }) =>
      askRefund({ ...(paymentId && { paymentId }), ...(amountMinor && { amountMinor }) }),
    ),
  fc.constantFrom(askRetry(), askRetry([{ effect: 'close', dedupKey: 'ord_1:close', payload: {} }])),
);
const attempts = fc.option(paymentId, { nil: undefined }).chain(id => fc.constantFrom(failed(id), canceled(id)));
const others = fc.constantFrom<Told[]>(
  opened,
  openedAs('sbo_2'),
  refused,
  recorded,
  deadline(),
  deadline({ afterMs: -1 }),
  captured('x', { ownedBy: 'ord_0' }),
);
const told: fc.Arbitrary<Told> = fc.oneof(
  { weight: 5, arbitrary: payment },
  { weight: 4, arbitrary: refunds },
  { weight: 2, arbitrary: disputes },
  { weight: 2, arbitrary: attempts },
  { weight: 2, arbitrary: requests },
  { weight: 2, arbitrary: others },
);
/** Some are told again, later and among others. */
export const histories = fc
  .record({
    list: fc.array(told, { maxLength: 20, size: 'max' }),
    again: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 6 }),
  })
  .map(({ list, again }) =>
    again.reduce(
      (all, [from, to]) =>
        list.length ? all.toSpliced(to % (all.length + 1), 0, list[from % list.length] ?? opened) : all,
      list,
    ),
  );
const withPolicy = (surplusPolicy: 'extend' | 'hold') => orderFor({ plan: { ...PLAN, surplusPolicy } });
export const creations = fc.constantFrom<OrderCreated[]>(
  orderFor(),
  orderFor(),
  withPolicy('extend'),
  withPolicy('hold'),
  trial,
);
