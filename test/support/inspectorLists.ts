// A small service with something of everything in it: the orders and events that the inspector's lists show.
import type { InspectedService } from './inspector.ts';
import { captured, openOrder, operator, webhook } from './world.ts';

export const HOSTILE = `"><img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`;

export type Named = {
  subscribed: string;
  parked: string;
  grantFailed: string;
  dead: string;
  overdue: string;
  waiting: string;
};

/** Orders of every kind, and events that belong to none. Answers their ids by what they are. */
export async function fillLists({ world, webhook: call }: InspectedService): Promise<Named> {
  const at = (iso: string) => world.clock.set(iso);
  at('2026-01-31T08:00:00.000Z');
  const overdue = await openOrder(world, { userId: 'late-payer' });
  at('2026-01-31T09:30:00.000Z');
  const subscribed = await openOrder(world, { userId: 'ada@shop.example' });
  await world.dispatch(webhook(subscribed.providerOrderId, captured('pay_ada')));
  await world.dispatch(webhook(subscribed.providerOrderId, captured('pay_ada')));
  const second = await openOrder(world, { userId: 'twice' });
  await world.dispatch(webhook(second.providerOrderId, captured('pay_twice_1')));
  const third = await openOrder(world, { userId: 'twice' });
  await world.dispatch(
    webhook(third.providerOrderId, { type: 'payment.failed', paymentId: 'pay_twice_2', reason: 'card declined' }),
  );
  const parked = await openOrder(world, { userId: 'wrong-amount' });
  await world.dispatch(webhook(parked.providerOrderId, captured('pay_short', 10_000)));
  await world.dispatch(operator(subscribed.id, { type: 'cancel.requested', reason: 'changed their mind' }));

  await world.sql`alter table grants add constraint nobody check (seq < 0) not valid`;
  const grantFailed = await openOrder(world, { userId: 'paid-in-vain' });
  await world.dispatch(webhook(grantFailed.providerOrderId, captured('pay_vain')));
  await world.sql`alter table grants drop constraint nobody`;

  const dead = await openOrder(world, { userId: 'untold' });
  await world.dispatch(webhook(dead.providerOrderId, captured('pay_untold')));
  await world.sql`update outbox set status = 'dead', attempts = 12, last_error = ${`the merchant answered 500: ${HOSTILE}`} where order_id = ${dead.id} and effect = 'notify'`;
  at('2026-01-31T09:59:00.000Z');
  const waiting = await openOrder(world, { userId: 'still-paying' });
  at('2026-01-31T10:00:00.000Z');
  for (const n of [1, 2, 3]) {
    const data = {
      providerOrderId: `sbo_nobody_${n}`,
      paymentId: `pay_nobody_${n}`,
      amountMinor: 49_900,
      currency: 'INR',
    };
    await call({ type: 'payment.captured', data }, { id: `evt_nobody_${n}` });
  }
  return {
    subscribed: subscribed.id,
    parked: parked.id,
    grantFailed: grantFailed.id,
    dead: dead.id,
    overdue: overdue.id,
    waiting: waiting.id,
  };
}
