// The race this service exists for, with each provider's own protocol: two service processes on one database, started
// with nothing but their environment, and for every order two callbacks and six webhook deliveries at the same moment.
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectSoundBooks, seeded } from './support/databaseChecks.ts';
import {
  cloudpaymentsRacer,
  type Paid,
  type Racer,
  razorpayRacer,
  type Shot,
  stripeRacer,
} from './support/providerRacers.ts';
import { call, type Json } from './support/serviceClient.ts';
import { launch, newFolder } from './support/serviceProcess.ts';
import { createTestDatabase, type TestDatabase } from './support/testDatabase.ts';

const ORDERS = 200;
/** Orders under way at once: some providers take few calls at a time. */
const AT_ONCE = 10;

let racers: Racer[];
let database: TestDatabase;
let sql: postgres.Sql;
let urls: string[];

beforeAll(async () => {
  racers = await Promise.all([razorpayRacer(), cloudpaymentsRacer(), stripeRacer()]);
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
  const env = {
    DATABASE_URL: database.url,
    LOG_LEVEL: 'warn',
    ...Object.assign({}, ...racers.map(racer => racer.env)),
  };
  const services = [launch({ dataDir: await newFolder(), env }), launch({ dataDir: await newFolder(), env })];
  urls = await Promise.all(services.map(service => service.ready));
});
afterAll(async () => {
  await Promise.all(racers.map(racer => racer.close()));
  await sql.end({ timeout: 1 });
  await database.drop();
});

/** A call that was shed or met a busy provider is made again, as browsers and providers do. */
async function shoot(url: string, { method, path, headers, body }: Shot): Promise<number> {
  for (;;) {
    const response = await fetch(url + path, {
      method,
      headers,
      redirect: 'manual',
      ...(body !== undefined && { body: body as string }),
    });
    await response.arrayBuffer();
    if (response.status !== 503) return response.status;
  }
}

async function checkOut(racer: Racer, index: number): Promise<Paid> {
  const userId = `${racer.name}-${index}`;
  const asked = { userId, planId: `plan-${racer.name}`, provider: racer.name };
  for (;;) {
    const { status, body } = await call(urls[index % 2]!, 'POST', '/v1/checkouts', asked, {
      'idempotency-key': userId,
    });
    if (status === 201) return { orderId: body.order.id, providerOrderId: body.checkout.providerOrderId, userId };
    if (status !== 503) throw new Error(`checkout answered ${status}: ${JSON.stringify(body)}`);
  }
}

/** Runs `work` for every index, a few at a time. */
async function inTurns(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

describe.each(['razorpay', 'cloudpayments', 'stripe'])('%s', name => {
  test(`${ORDERS} orders, each told eight times at once to two processes, are granted once each`, async () => {
    const racer = racers.find(entry => entry.name === name)!;
    const { shuffle } = seeded();
    const plan: Json = {
      product: `product-${name}`,
      amountMinor: racer.amountMinor,
      currency: racer.currency,
      period: { months: 1 },
    };
    expect((await call(urls[0]!, 'PUT', `/v1/plans/plan-${name}`, plan)).status).toBe(200);
    const statuses: number[] = [];
    await inTurns(ORDERS, async index => {
      const shots = shuffle(racer.pay(await checkOut(racer, index)));
      statuses.push(...(await Promise.all(shots.map((shot, n) => shoot(urls[n % 2]!, shot)))));
    });
    expect(statuses).toHaveLength(8 * ORDERS);
    expect([...new Set(statuses)].filter(status => status !== 200 && status !== 303)).toEqual([]);

    const [grants] =
      await sql`select count(*)::int as n, count(distinct user_id)::int as users from grants where provider = ${name} and revoked_at is null`;
    expect(grants).toEqual({ n: ORDERS, users: ORDERS });
    const [orders] = await sql`select count(*)::int as n from orders where provider = ${name} and state = 'subscribed'`;
    expect(orders?.n).toBe(ORDERS);
    const [subscriptions] =
      await sql`select count(*)::int as n from subscriptions where product = ${`product-${name}`}`;
    expect(subscriptions?.n).toBe(ORDERS);
    const [inbox] =
      await sql`select sum(deliveries)::int as deliveries, count(*) filter (where verdict not in ('applied', 'duplicate', 'stale', 'ignored'))::int as odd from inbox where provider = ${name}`;
    expect(inbox).toEqual({ deliveries: 8 * ORDERS, odd: 0 });
    await expectSoundBooks(sql);
  });
});
