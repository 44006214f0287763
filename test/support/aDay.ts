// A day of a shop as the overview would find it: orders of every fate at three providers, events nobody could place, dead
// effects, a finding, wrong signatures; counted beforehand as the sweeper would have.
import { pino } from 'pino';
import { countSignatureFailures } from '../../src/inspector/overview/signatureFailures.ts';
import { tallyJob } from '../../src/inspector/overview/tallyJob.ts';
import { captured, MONTHLY, openOrder, operator, type World, webhook } from './world.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const never = new AbortController().signal;
const log = pino({ level: 'silent' });

/** Ends at `end`, where the clock then stands. `orders` are spread over the day before; `userOf` names who made the nth. */
export async function liveThroughADay(
  world: World,
  end: Date,
  orders = 150,
  userOf: (n: number) => string | undefined = () => undefined,
): Promise<void> {
  const { sql, clock } = world;
  const stepMs = DAY_MS / orders;
  const told = (event: ReturnType<typeof captured>, lateMs: number) =>
    ({ ...event, occurredAt: new Date(clock().getTime() - lateMs).toISOString() }) as typeof event;
  for (let n = 0; n < orders; n++) {
    // More by day than by night.
    const at = end.getTime() - DAY_MS + n * stepMs + Math.sin((n / orders) * 6) * 40 * MINUTE_MS;
    clock.set(new Date(Math.min(at, end.getTime() - MINUTE_MS)).toISOString());
    const userId = userOf(n);
    const { id, providerOrderId } = await openOrder(world, userId === undefined ? {} : { userId });
    const payment = `pay_${n}`;
    if (n % 5 === 0) await world.dispatch(webhook(providerOrderId, { type: 'payment.failed', paymentId: `pay_x${n}` }));
    if (n % 9 === 8) continue;
    if (n % 41 === 7) await world.dispatch(webhook(providerOrderId, captured(payment, MONTHLY.amountMinor - 100)));
    else await world.dispatch(webhook(providerOrderId, told(captured(payment), n % 13 === 0 ? 42_000 : 700)));
    if (n % 4 === 1) await world.dispatch(webhook(providerOrderId, captured(payment)));
    if (n % 17 === 3) await world.dispatch(webhook(providerOrderId, captured(`pay_again_${n}`)));
    if (n % 23 === 5) {
      const refund = { type: 'refund.updated', paymentId: payment, refundId: `rf_${n}`, state: 'completed' } as const;
      await world.dispatch(webhook(providerOrderId, { ...refund, amountMinor: MONTHLY.amountMinor }));
    }
    if (n % 37 === 2) await world.dispatch(webhook(`sbo_elsewhere_${n}`, captured(`pay_elsewhere_${n}`)));
    if (n % 43 === 4) await world.dispatch(operator(id, { type: 'cancel.requested', reason: 'a customer asked' }));
  }
  for (const [provider, rest] of [
    ['razorpay', 1],
    ['stripe', 2],
  ] as const) {
    await sql`create temp table theirs as select id, row_number() over (order by id) % 3 = ${rest} as yes from orders`;
    await sql`update orders set provider = ${provider} where provider = 'sandbox' and id in (select id from theirs where yes)`;
    await sql`drop table theirs`;
  }
  for (const table of ['payments', 'inbox'])
    await sql.unsafe(`update ${table} t set provider = o.provider from orders o where o.id = t.order_id`);
  await sql`update orders set wake_at = null where wake_at < ${new Date(end.getTime() - 20 * MINUTE_MS)}`;
  clock.set(end.toISOString());
  await sql`update outbox set status = 'done', done_at = now()`;
  await sql`update outbox set status = 'dead', attempts = 12, last_error = 'the provider answered 503' where id in (select id from outbox where effect = 'notify' order by id desc limit 3)`;
  await sql`insert into findings (id, fingerprint, kind, severity, detail, opened_at) values ('fnd_1', 'f1', 'provider_unlisted', 'warning', 'a list ended early', ${new Date(end.getTime() - 3 * 60 * MINUTE_MS)})`;
  await sql`insert into listings (provider, depth, next_at, started_at, completed_at, completed_started_at, pages, payments, news)
    values ('sandbox', 'recent', ${new Date(end.getTime() + 4 * MINUTE_MS)}, ${end}, ${new Date(end.getTime() - MINUTE_MS)}, ${end}, 3, 212, 0)`;
  const counter = countSignatureFailures({ db: world.db, clock, newId: world.newId, log });
  for (let n = 0; n < 37; n++) counter.failed('stripe');
  await counter.close();
  await tallyJob({ db: world.db, clock, log }).run(never);
}
