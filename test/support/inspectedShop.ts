// A shop as somebody finds it at 3 a.m.: a day of orders at three providers behind it, and a few that tell something: one
// paid and not granted, one parked, one whose merchant was never told, one that is half sent back, one that is being paid.

import { pino } from 'pino';
import type { PlanTerms, UnstampedOrderEvent } from '../../machines/orderEvents.ts';
import { systemRandom } from '../../src/clock.ts';
import { tallyJob } from '../../src/inspector/overview/tallyJob.ts';
import { liveThroughADay } from './aDay.ts';
import type { InspectedService } from './inspector.ts';
import { captured, MONTHLY, openOrder, operator, webhook } from './world.ts';

const MINUTE_MS = 60_000;
const YEARLY: PlanTerms = {
  ...MONTHLY,
  id: 'pro-yearly',
  amountMinor: 499_000,
  months: 12,
  graceDays: 7,
  surplusPolicy: 'extend',
};
const TEAM: PlanTerms = { ...MONTHLY, id: 'team-monthly', product: 'team', amountMinor: 249_900, graceDays: 7 };
const BASIC: PlanTerms = { ...MONTHLY, id: 'basic-monthly', product: 'basic', amountMinor: 19_900 };

const NAMES =
  'hopper,turing,noether,dijkstra,liskov,hamilton,knuth,perlman,ritchie,lamport,goldberg,wirth,allen,backus,easley'.split(
    ',',
  );
const PLACES = 'post.example,web.example,home.example,school.example,work.example,mail.example,lab.example'.split(',');
/** Nobody twice among a hundred and five. */
const customer = (n: number) => `${NAMES[n % NAMES.length]}@${PLACES[Math.floor(n / NAMES.length) % PLACES.length]}`;

export type ShopOrder = { id: string; userId: string; providerOrderId: string; paymentId: string };
export type Shop = Record<'ada' | 'grace' | 'linus' | 'margaret' | 'edsger' | 'barbara' | 'alan', ShopOrder>;

const randomText = (length: number) =>
  Buffer.from(systemRandom(length)).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, length);

/** Ends at `end`. What is told of each order is what made it stand where it stands. */
export async function fillShop(service: InspectedService, end: Date): Promise<Shop> {
  const { world } = service;
  const { sql, clock } = world;
  await liveThroughADay(world, end, 150, customer);
  const at = (minutes: number) => clock.set(new Date(end.getTime() - minutes * MINUTE_MS).toISOString());
  const open = async (userId: string, plan = MONTHLY): Promise<ShopOrder> => ({
    ...(await openOrder(world, { userId, plan })),
    paymentId: `pay_${randomText(14)}`,
  });
  const hear = (order: ShopOrder, event: UnstampedOrderEvent, eventKey = `evt_${randomText(16)}`) =>
    world.dispatch(webhook(order.providerOrderId, event, { eventKey }));
  const pay = (order: ShopOrder, amountMinor: number, eventKey?: string) =>
    hear(order, captured(order.paymentId, amountMinor), eventKey);

  at(96);
  const grace = await open('grace@navy.example', TEAM);
  await pay(grace, TEAM.amountMinor);
  const barbara = await open('barbara@mit.example', YEARLY);
  await pay(barbara, YEARLY.amountMinor);
  await world.dispatch(
    operator(barbara.id, {
      type: 'refund.requested',
      amountMinor: 100_000,
      reason: 'Goodwill for the outage on Tuesday',
      by: 'sofia@ops.example',
    }),
  );
  at(71);
  const alan = await open('alan@bletchley.example', BASIC);
  await hear(alan, { type: 'payment.failed', paymentId: `pay_${randomText(14)}`, reason: 'insufficient funds' });
  at(52);
  const margaret = await open('margaret@apollo.example', TEAM);
  await pay(margaret, 199_900);
  at(38);
  await sql`alter table grants add constraint grants_seats_left check (user_id not in ('ada@analytical.example', 'linus@kernel.example')) not valid`;
  const linus = await open('linus@kernel.example', YEARLY);
  await pay(linus, YEARLY.amountMinor);
  at(14.3);
  const ada = await open('ada@analytical.example');
  at(14);
  await hear(ada, {
    type: 'payment.failed',
    paymentId: `pay_${randomText(14)}`,
    reason: 'card declined by the issuer',
  });
  at(13);
  const key = `evt_${randomText(16)}`;
  await pay(ada, MONTHLY.amountMinor, key);
  await pay(ada, MONTHLY.amountMinor, key);
  at(12);
  await pay(ada, MONTHLY.amountMinor);
  at(8);
  const again = { type: 'retry.requested', reason: 'the deadline to write its grant has passed' } as const;
  for (const { id } of [ada, linus]) await world.dispatch(operator(id, again, { source: 'sweeper' }));
  at(1);
  await world.dispatch(
    operator(linus.id, { type: 'retry.requested', reason: 'Is it only her?', by: 'sofia@ops.example' }),
  );
  await world.dispatch(
    operator(ada.id, { type: 'retry.requested', reason: 'She called: paid, and no access', by: 'sofia@ops.example' }),
  );
  at(0.5);
  const edsger = await open('edsger@eindhoven.example');
  clock.set(end.toISOString());
  await settle(service, { grace, end });
  return { ada, grace, linus, margaret, edsger, barbara, alan };
}

/** What the worker would have done by now; and one merchant who never answered. */
async function settle({ world }: InspectedService, { grace, end }: { grace: ShopOrder; end: Date }): Promise<void> {
  const { sql, db, clock } = world;
  await sql`update outbox set status = 'done', attempts = 1, done_at = available_at + interval '2 seconds' where status = 'pending' and effect in ('notify', 'alert', 'close')`;
  await sql`update outbox set attempts = 2, last_error = 'the sandbox answered 503', available_at = ${new Date(end.getTime() + 40_000)} where status = 'pending' and effect = 'refund'`;
  await sql`update outbox set status = 'dead', attempts = 12, done_at = null, available_at = ${new Date(end.getTime() - 20 * MINUTE_MS)}, last_error = 'https://shop.example/hooks answered 500' where order_id = ${grace.id} and effect = 'notify'`;
  await sql`update outbox set available_at = ${new Date(end.getTime() + 4 * MINUTE_MS)} where status = 'pending' and effect = 'reconcile' and available_at < ${end}`;
  // The database stamps rows with its own time; the day they tell of is the clock's.
  await sql`update orders o set created_at = (select at from transitions t where t.order_id = o.id and t.version = 1), updated_at = (select at from transitions t where t.order_id = o.id and t.version = o.version)`;
  await sql`update orders set wake_at = null where wake_at < ${end} and state <> 'captured'`;
  await tallyJob({ db, clock, log: pino({ level: 'silent' }) }).run(new AbortController().signal);
}
