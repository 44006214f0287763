// Every statement that any page of the inspector asks, explained on a shop of some size: none reads a table or an index
// from end to end. How long pages take on a million orders is measured by `npm run bench:inspector`.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBenchDatabase } from '../bench/benchDatabase.ts';
import { pagesOf } from '../bench/inspectorPages.ts';
import { type CheckedPlan, checkPlans, judged } from '../bench/inspectorPlans.ts';
import { seedShop } from '../bench/inspectorSeed.ts';
import { type InspectorService, startInspectorService } from '../bench/inspectorService.ts';
import { askedBy, statementsOf } from '../bench/inspectorStatements.ts';
import { signIn } from '../bench/inspectorVisitor.ts';
import type { Database } from '../db/client.ts';
import { FOLD_CHECK } from '../db/foldCheck.ts';
import { readLife } from '../db/inspect/transitions.ts';
import { migrate } from '../db/migrate.ts';
import { MAX_STEPS, replayModel } from '../src/inspector/replay/model.ts';
import { createTestDatabase, type TestDatabase } from './support/testDatabase.ts';

/** Enough that every page has something to show; what grows with the shop is told by the shape of its plan. */
const ORDERS = 5_000;

describe('the inspector on a shop of 5,000 orders', () => {
  let database: TestDatabase;
  let service: InspectorService;
  let plans: CheckedPlan[] = [];
  let wrong: unknown[] = [];
  let asked: { page: string; texts: number }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    await migrate(database.url);
    const db = openBenchDatabase(database.url);
    const now = new Date();
    await seedShop({ db, url: database.url, orders: ORDERS, now, say: () => {} });
    service = await startInspectorService(database.url);
    await service.tally();
    const visitor = await signIn(service);
    const told = await askedBy({ pages: await pagesOf(db, now), visitor, taken: () => service.taken(), turns: 1 });
    visitor.close();
    asked = told.map(one => ({ page: one.page, texts: one.asked.length }));
    plans = await checkPlans(database.url, statementsOf(told));
    wrong = [...(await db.query(FOLD_CHECK, [])), ...(await lostLives(db))];
    await db.close();
  });

  afterAll(async () => {
    await service?.close();
    await database?.drop();
  });

  test('is a shop as it could be: every life replays to its snapshot, every subscription is the fold of its grants', () => {
    expect(wrong).toEqual([]);
  });

  test('every page asks the database something', () => {
    expect(asked.filter(({ texts }) => texts === 0)).toEqual([]);
    expect(plans.length).toBeGreaterThan(60);
  });

  test('no statement of any page reads a table or an index from end to end', () => {
    const bad = plans.filter(({ problems }) => problems.length > 0);
    expect(bad.map(({ page, problems, text }) => `${page}: ${problems.join('; ')}\n${text}`)).toEqual([]);
  });
});

/** Orders of every state and length whose transitions do not give what is stored. */
async function lostLives(db: Database): Promise<unknown[]> {
  const rows = await db.query<{ id: string }>(
    `select distinct on (kind, state, version, provider) id from orders where machine = 'order.v1' order by kind, state, version, provider, id`,
    [],
  );
  if (rows.length < 20) throw new Error('there are too few kinds of orders to look at');
  const lost: unknown[] = [];
  for (const { id } of rows) {
    const life = await readLife(db, id, MAX_STEPS);
    const mismatches = life && replayModel(life, null)?.mismatches;
    if (mismatches?.length !== 0) lost.push({ id, mismatches });
  }
  return lost;
}

describe('a plan is judged', () => {
  const scan = (more = {}) => ({ 'Node Type': 'Index Scan', 'Index Name': 'orders_created_at', ...more });
  const under = (type: string, below: object) => ({ 'Node Type': type, Plans: [below as never] });

  test('bad when it reads a whole table', () => {
    const root = under('Limit', { 'Node Type': 'Seq Scan', 'Relation Name': 'orders' });
    expect(judged(root).problems).toEqual(['reads all of orders']);
  });

  test('bad when a sort below the limit takes in a whole index', () => {
    expect(judged(under('Limit', under('Sort', scan()))).problems).toEqual(['reads all of orders_created_at']);
  });

  test('bad when a condition of the list is answered for all orders beforehand', () => {
    const apart = scan({ 'Parent Relationship': 'SubPlan' });
    expect(judged(under('Limit', under('Index Scan', apart))).problems).toEqual(['reads all of orders_created_at']);
  });

  test('good when the index is walked in its order to a limit, or entered by a condition', () => {
    expect(judged(under('Limit', under('Incremental Sort', scan()))).problems).toEqual([]);
    expect(judged(under('Sort', scan({ 'Index Cond': '(id = $1)' }))).problems).toEqual([]);
  });

  test('bad when it drops more rows on its way than a page may cost', () => {
    const root = under('Limit', scan({ 'Actual Rows': 50, 'Actual Loops': 1, 'Rows Removed by Filter': 999_950 }));
    expect(judged(root).problems).toEqual(['reads 1000000 rows']);
  });
});
