// All shortest paths through the chart over a small set of concrete events: every state is reached, and every path, told to
// an order one event after the other, ends where the graph says.
import { expect, test } from 'vitest';
import type { SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { MAX_ASKED } from '../machines/askSchedule.ts';
import { orderChart } from '../machines/order.ts';
import type { OrderEvent } from '../machines/orderEvents.ts';
import { ORDER_STATES } from '../machines/orderStates.ts';
import {
  AT,
  askCancel,
  askRetry,
  authorized,
  begin,
  canceled,
  captured,
  deadline,
  dispute,
  failed,
  grantFails,
  opened,
  orderFor,
  recorded,
  refund,
  tell,
} from './support/given.ts';

const TOLD = [
  opened,
  authorized('p'),
  captured('p'),
  captured('q'),
  captured('w', { amountMinor: 100 }),
  failed('p'),
  canceled('p'),
  refund('p'),
  refund('p', 'failed'),
  refund('w', 'completed', { id: 'rf_2', amountMinor: 100 }),
  dispute('p', 'lost'),
  dispute('p', 'won'),
  askCancel,
  askRetry(),
  recorded,
].map(event => ({ at: AT, ...event }) as OrderEvent);

type State = SnapshotFrom<typeof orderChart>;
/** The engine's own timers, which the graph must be told of; to an order they come as `deadline.passed`. */
const TIMERS = [
  'paymentWindow.order.v1.created',
  'captureWindow.order.v1.authorized',
  'grantOverdue.order.v1.captured',
];
const isTimer = (event: { type: string }) => event.type.startsWith('xstate.after.');
const timers = TIMERS.map(name => ({ type: `xstate.after.${name}` }) as unknown as OrderEvent);

/** A state with all that its guards can tell apart, so that paths differ where the order's future does. */
function nameOf({ value, context }: Pick<State, 'value' | 'context'>): string {
  const payments = context.payments
    .map(({ paymentId, state, fits, refunds, disputes }) =>
      [paymentId, state, fits, ...[...refunds, ...disputes].map(({ id, state }) => `${id} ${state}`).sort()].join(' '),
    )
    .sort();
  const { granted, authorizedBy, providerOrderId, asked } = context;
  return JSON.stringify({ value, payments, granted, authorizedBy, providerOrderId, mayAsk: asked < MAX_ASKED });
}

const paths = getShortestPaths(orderChart, {
  input: orderFor(),
  events: [...TOLD, ...timers],
  serializeState: state => nameOf(state as State),
});
const reached = ORDER_STATES.map(state => ({ state, ways: paths.filter(path => path.state.value === state) }));

/** The same path told to an order; where the graph takes captured and the grant for two, the commit stops between them. */
function walk(events: readonly OrderEvent[]) {
  let { world } = begin(orderFor());
  for (const event of events) world = tell(world, grantFails(isTimer(event) ? deadline() : event)).world;
  return world.order;
}

test.each(reached)(
  '$state is reached, and every shortest path there ends there when it is told to an order',
  ({ ways }) => {
    expect(ways.length).toBeGreaterThan(0);
    for (const { state, steps } of ways) {
      const events = steps.map(step => step.event as OrderEvent).filter(event => !event.type.startsWith('xstate.init'));
      const order = walk(events);
      expect(nameOf(order.state), events.map(event => JSON.stringify(event)).join('\n')).toBe(nameOf(state as State));
      expect(order.version).toBe(events.length + 1);
    }
  },
);

test('the shortest ways are as short as they are drawn', () => {
  const shortest = Object.fromEntries(
    reached.map(({ state, ways }) => [state, Math.min(...ways.map(path => path.steps.length - 1))]),
  );
  expect(shortest).toEqual({
    created: 0,
    authorized: 1,
    captured: 1,
    subscribed: 2,
    failed: 1,
    parked: 1,
    refunded: 2,
  });
});
