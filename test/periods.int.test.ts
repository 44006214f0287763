// Thousands of random histories of grants, revocations and restores: counted step by step, folded by machines/periods.ts
// and folded by the database are the same, whatever time zone the session is in; rows that are wrong are found.
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FOLD_CHECK } from '../db/foldCheck.ts';
import { migrate } from '../db/migrate.ts';
import { foldGrants } from '../machines/periods.ts';
import { give, noSubscription, restore, revoke, type Subscription } from '../machines/subscription.ts';
import { createTestDatabase, type TestDatabase } from './support/testDatabase.ts';

const HISTORIES = 3_000;
const ZONES = ['UTC', 'Asia/Kolkata', 'America/New_York', 'Pacific/Apia'];
const FROM = Date.parse('2027-10-01T00:00:00.000Z');

type Act = {
  what: string;
  afterMs: number;
  paidBeforeMs: number;
  months: number;
  days: number;
  graceDays: number;
  which: number;
};
const DAY_MS = 86_400_000;
const act: fc.Arbitrary<Act> = fc
  .record({
    what: fc.constantFrom('give', 'give', 'give', 'revoke', 'restore'),
    // Often within the paid time, sometimes on a day's very edge, sometimes long after all has lapsed.
    afterMs: fc.oneof(
      fc.nat(20 * DAY_MS),
      fc.nat(40).map(days => days * DAY_MS),
      fc.nat(200 * DAY_MS),
    ),
    paidBeforeMs: fc.nat(3_600_000),
    period: fc.constantFrom([1, 0], [1, 0], [3, 0], [12, 0], [0, 14], [0, 7], [0, 1]),
    graceDays: fc.constantFrom(0, 3, 3, 10),
    which: fc.nat(),
  })
  .map(({ period: [months = 0, days = 0], ...rest }) => ({ ...rest, months, days }));

/** One subscription's life; `at` moves on from act to act, as decisions do. */
function live(userId: string, acts: Act[], startMs: number): Subscription {
  let subscription = noSubscription(userId, 'pro');
  let atMs = startMs;
  for (const { what, afterMs, paidBeforeMs, months, days, graceDays, which } of acts) {
    atMs += afterMs;
    const all = subscription.all ?? [];
    const chosen = all[which % all.length];
    if (what === 'revoke' && chosen && !chosen.revokedAt)
      subscription = revoke(subscription, chosen.orderId, new Date(atMs), 'refunded').subscription;
    else if (what === 'restore' && chosen?.revokedAt) subscription = restore(subscription, chosen.orderId).subscription;
    else if (what === 'give' || !chosen) {
      const orderId = `ord_${userId}_${all.length + 1}`;
      const bought = { baseAt: new Date(atMs - paidBeforeMs), months, days, graceDays };
      const paid = { provider: 'sandbox', paymentId: `pay_${orderId}`, grantedAt: new Date(atMs) };
      subscription = give(subscription, { orderId, ...bought, ...paid }, 'purchase').subscription;
    }
  }
  return { ...subscription, version: acts.length };
}

const grantRows = ({ all }: Subscription) =>
  (all ?? []).map(grant => ({
    order_id: grant.orderId,
    user_id: grant.userId,
    product: grant.product,
    seq: grant.seq,
    provider: grant.provider,
    payment_id: grant.paymentId,
    base_at: grant.baseAt,
    months: grant.months,
    days: grant.days,
    grace_days: grant.graceDays,
    starts_at: grant.startsAt,
    ends_at: grant.endsAt,
    granted_at: grant.grantedAt,
    revoked_at: grant.revokedAt,
    revoke_reason: grant.revokeReason,
  }));
const orderRows = ({ all }: Subscription) =>
  (all ?? []).map(({ orderId, userId, product, grantedAt, revokedAt }) => ({
    id: orderId,
    kind: 'purchase',
    user_id: userId,
    product,
    plan_id: 'pro-monthly',
    plan: {},
    provider: 'sandbox',
    live: false,
    amount_minor: 49900,
    currency: 'INR',
    machine: 'order.v1',
    state: revokedAt ? 'refunded' : 'subscribed',
    version: 4,
    snapshot: {},
    another: false,
    created_at: grantedAt,
    updated_at: grantedAt,
  }));
const subscriptionRow = ({ userId, product, version, grants, fold, cancelAtEnd }: Subscription) => ({
  user_id: userId,
  product,
  version,
  grants,
  anchor_at: fold?.anchorAt ?? null,
  anchor_months: fold?.anchorMonths ?? 0,
  ends_at: fold?.endsAt ?? null,
  grace_days: fold?.graceDays ?? 0,
  cancel_at_end: cancelAtEnd,
});

const month = (what = 'give', which = 0): Act => ({
  what,
  afterMs: DAY_MS,
  paidBeforeMs: 0,
  months: 1,
  days: 0,
  graceDays: 3,
  which,
});
/** Subscriptions with names, for the rows that are broken below. */
const NAMED: Record<string, Act[]> = {
  three: [month(), month(), month()],
  revoked: [month(), month(), month('revoke', 1)],
  none: [month(), month('revoke')],
  trial: [{ ...month(), months: 0, days: 14 }, month()],
};

let database: TestDatabase;
let sql: postgres.Sql;
let seed: number;
beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url);
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
  seed = Number(process.env.PERIODS_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.info(`periods.int: PERIODS_SEED=${seed}`);
  const acts = fc.sample(fc.tuple(fc.array(act, { minLength: 1, maxLength: 12 }), fc.nat(400 * DAY_MS)), {
    numRuns: HISTORIES,
    seed,
  });
  const random = acts.map(([list, startMs], index) => live(`u${index}`, list, FROM + startMs));
  // 31 January, so that a month's end is among them.
  const named = Object.entries(NAMED).map(([name, list]) => live(name, list, Date.parse('2028-01-30T10:00:00.000Z')));
  const all = [...random, ...named];
  for (const { fold, all: grants } of all) {
    const folded = foldGrants((grants ?? []).filter(grant => !grant.revokedAt));
    if (JSON.stringify(folded.fold) !== JSON.stringify(fold)) throw new Error('step by step is not the fold');
  }
  const load = (table: string, rows: object[]) =>
    sql.unsafe(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::text::jsonb)`, [
      JSON.stringify(rows),
    ]);
  await load('orders', all.flatMap(orderRows));
  await load('grants', all.flatMap(grantRows));
  await load('subscriptions', all.map(subscriptionRow));
});
afterAll(async () => {
  await sql?.end({ timeout: 1 });
  await database?.drop();
});

test('there is enough to fold: stacked, lapsed, revoked and restored', async () => {
  const [counted] = await sql`
    select count(*)::int as grants, count(revoked_at)::int as revoked, count(distinct user_id)::int as users, max(seq) as longest
    from grants`;
  const [lapsed] = await sql`
    select count(*)::int as count from grants a join grants b using (user_id, product)
    where b.seq = a.seq + 1 and a.revoked_at is null and b.revoked_at is null and b.starts_at > a.ends_at`;
  expect(counted?.users).toBeGreaterThanOrEqual(HISTORIES);
  expect(counted?.grants).toBeGreaterThan(3 * HISTORIES);
  expect(counted?.revoked).toBeGreaterThan(HISTORIES / 10);
  expect(lapsed?.count).toBeGreaterThan(HISTORIES / 10);
});

describe.each(ZONES)('in a session of %s', zone => {
  test('the database folds to the same dates', async () => {
    const session = postgres(database.url, { max: 1, connection: { TimeZone: zone } });
    try {
      expect(await session`select current_setting('TimeZone') as zone`).toMatchObject([{ zone }]);
      expect([...(await session.unsafe(FOLD_CHECK))], `PERIODS_SEED=${seed}`).toEqual([]);
    } finally {
      await session.end();
    }
  });
});

describe('rows that are wrong are found, and nothing else', () => {
  const of = (user: string) => `where user_id = '${user}'`;
  test.each([
    [
      'a grant that ends a second late',
      'three',
      `update grants set ends_at = ends_at + interval '1 second' ${of('three')} and seq = 3`,
      ['grant'],
    ],
    [
      'a grant that starts a millisecond early',
      'three',
      `update grants set starts_at = starts_at - interval '1 millisecond' ${of('three')} and seq = 2`,
      ['grant'],
    ],
    [
      'a base that was changed afterwards',
      'three',
      `update grants set base_at = base_at - interval '1 hour' ${of('three')} and seq = 1`,
      ['grant', 'grant', 'grant', 'subscription'],
    ],
    [
      'a month that became two',
      'three',
      `update grants set months = 2 ${of('three')} and seq = 3`,
      ['grant', 'subscription'],
    ],
    [
      'the first grant missing',
      'three',
      `delete from grants ${of('three')} and seq = 1`,
      ['grant', 'grant', 'seq', 'subscription'],
    ],
    ['the last grant missing', 'three', `delete from grants ${of('three')} and seq = 3`, ['subscription']],
    ['a gap in the numbers', 'three', `update grants set seq = 4 ${of('three')} and seq = 3`, ['seq']],
    [
      'two grants that changed places',
      'trial',
      `update grants set seq = case seq when 1 then 4 else 1 end ${of('trial')}`,
      ['grant', 'grant', 'seq', 'subscription'],
    ],
    [
      'a wrong anchor',
      'three',
      `update subscriptions set anchor_at = anchor_at + interval '1 day' ${of('three')}`,
      ['subscription'],
    ],
    [
      'a wrong count of months',
      'three',
      `update subscriptions set anchor_months = anchor_months + 1 ${of('three')}`,
      ['subscription'],
    ],
    [
      'an anchor where days should have moved it',
      'trial',
      `update subscriptions set anchor_at = anchor_at - interval '14 days' ${of('trial')}`,
      ['subscription'],
    ],
    [
      'a wrong end',
      'three',
      `update subscriptions set ends_at = ends_at + interval '1 month' ${of('three')}`,
      ['subscription'],
    ],
    ['a wrong grace', 'three', `update subscriptions set grace_days = 4 ${of('three')}`, ['subscription']],
    ['a wrong number of grants', 'three', `update subscriptions set grants = 2 ${of('three')}`, ['subscription']],
    [
      'a subscription that is missing',
      'three',
      `delete from subscriptions ${of('three')}`,
      ['grant', 'grant', 'grant'],
    ],
    [
      'a revoked grant that still counts',
      'three',
      `update grants set revoked_at = granted_at ${of('three')} and seq = 2`,
      ['grant', 'subscription'],
    ],
    [
      'a restored grant that does not count',
      'revoked',
      `update grants set revoked_at = null ${of('revoked')}`,
      ['subscription'],
    ],
    [
      'paid time although all was revoked',
      'none',
      `update subscriptions set ends_at = now(), anchor_at = now() ${of('none')}`,
      ['subscription'],
    ],
  ])('%s', async (_, user, breakIt, expected) => {
    const session = await sql.reserve();
    try {
      await session.unsafe('begin');
      expect((await session.unsafe(breakIt)).count, 'rows broken').toBeGreaterThan(0);
      const found = await session.unsafe<{ what: string; user_id: string }[]>(FOLD_CHECK);
      expect(found.map(row => row.what).sort()).toEqual(expected);
      expect(new Set(found.map(row => row.user_id))).toEqual(new Set([user]));
    } finally {
      await session.unsafe('rollback');
      session.release();
    }
  });
});
