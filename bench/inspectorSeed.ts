// A shop of any size for the inspector: models are lived through dispatch, copies of them are spread over two years, and
// the statistics are as autovacuum would have left them.
import { arrayLiteral } from '../db/arrays.ts';
import type { Database } from '../db/client.ts';
import { systemRandom } from '../src/clock.ts';
import { derivedOrderId, idsFrom } from '../src/ids.ts';
import { type Model, makeModels, TOKEN_LENGTH } from './inspectorModels.ts';
import { type Template, writeTemplates } from './inspectorTemplates.ts';

/** How long the shop has been open, in ms. */
const OPEN_MS = 730 * 86_400_000;
/** Orders written by one statement of each table. */
const CHUNK = 20_000;
/** Instances sent to the database at once. */
const SENT_AT_ONCE = 10_000;
/** Of the orders of each provider's: the models of one story come in this order. */
const PROVIDER_SHARES = [0.6, 0.3, 0.1];
/** A user who tries all the time, and how many orders of those that were never paid are theirs. */
const WHALE = 'whale';
const WHALE_SHARE = 0.02;

export type SeedOptions = {
  /** Unlimited in time. */
  db: Database;
  url: string;
  orders: number;
  now: Date;
  say: (text: string) => void;
};
export type Seeded = { orders: number; models: Model[] };

/** Fills an empty, migrated database. */
export async function seedShop({ db, url, orders, now, say }: SeedOptions): Promise<Seeded> {
  const models = await makeModels(url);
  const { templates, instants } = await writeTemplates(db, models);
  // The models are lived; copies take their places in time.
  await db.query(`truncate ${templates.map(({ table }) => table).join(', ')}`, []);
  const indexes = await dropIndexes(db);
  // What the constraints would say of each row they say of the models already.
  await db.query('set session_replication_role = replica', []);
  await writeInstances(db, { models, instants, orders, now });
  const count = await writeTargets(db, models);
  for (let from = 1; from <= count; from += CHUNK) {
    for (const template of templates) await fill(db, template, from, from + CHUNK - 1);
    if ((from - 1) % (CHUNK * 10) === 0) say(`${from - 1} of ${count} written`);
  }
  await db.query('set session_replication_role = origin', []);
  await writeFindings(db);
  for (const definition of indexes) await db.query(definition, []);
  for (const { table } of templates) await db.query(`drop table bench_${table}`, []);
  await db.query('drop table bench_instances, bench_targets', []);
  await db.query('vacuum analyze', []);
  const [row] = await db.query<{ n: number }>('select count(*)::int as n from orders', []);
  return { orders: row?.n ?? 0, models };
}

/** Indexes are built faster at once than row by row. Those of constraints stay. */
async function dropIndexes(db: Database): Promise<string[]> {
  const rows = await db.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
     from pg_index i join pg_class t on t.oid = i.indrelid
     where t.relnamespace = 'public'::regnamespace and t.relname not like 'bench_%' and not i.indisprimary
       and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`,
    [],
  );
  for (const { name } of rows) await db.query(`drop index ${name}`, []);
  return rows.map(({ definition }) => definition);
}

type Wanted = { models: readonly Model[]; instants: ReadonlyMap<number, number[]>; orders: number; now: Date };

/** One row an instance of a model: what fills the gaps of its templates. */
async function writeInstances(db: Database, wanted: Wanted): Promise<void> {
  await db.query(
    'create unlogged table bench_instances (n int primary key, model int, base timestamptz, a text[])',
    [],
  );
  const users: string[] = [];
  let sent: Instance[] = [];
  let n = 0;
  for (const instance of instancesOf(wanted, users)) {
    sent.push({ ...instance, n: ++n });
    if (sent.length === SENT_AT_ONCE) await send(db, sent, wanted.instants);
    if (sent.length === SENT_AT_ONCE) sent = [];
  }
  await send(db, sent, wanted.instants);
  await db.query('analyze bench_instances', []);
}

type Instance = { n: number; model: Model; base: number; user: string; tokens: string[] };

function* instancesOf({ models, orders, now }: Wanted, users: string[]): Generator<Omit<Instance, 'n'>> {
  // Those whose orders belong to users of others come last.
  const sorted = models.toSorted((a, b) => Number(a.story.shared ?? false) - Number(b.story.shared ?? false));
  for (const model of sorted) {
    const { story } = model;
    const share = PROVIDER_SHARES[models.filter(other => other.story === story).indexOf(model)] ?? 0;
    const count = Math.max(1, Math.round(((story.perMillion * orders) / 1e6 / model.tokens.length) * share));
    const youngest = now.getTime() - story.takesMs;
    const span = (story.youngerMs ?? OPEN_MS) - story.takesMs;
    for (let i = 0; i < count; i++) {
      const base = Math.floor(youngest - random() * span);
      const tokens = tokensOf(model, base);
      const own = (tokens[0] ?? '').slice(-20);
      const other = random() < WHALE_SHARE ? WHALE : users[Math.floor(random() * users.length)];
      const user = story.shared ? (other ?? own) : own;
      if (!story.shared && !story.loose) users.push(user);
      yield { model, base, user, tokens };
    }
  }
}

/** Ids as they are given out: with the time in front, or derived from a payment. */
function tokensOf({ tokens, provider }: Model, base: number): string[] {
  const idAt = idsFrom(() => new Date(base), systemRandom);
  return tokens.map((_, nth) => {
    const id = idAt('ord');
    return (nth === 0 ? id : derivedOrderId(provider, id)).slice('ord_'.length, 'ord_'.length + TOKEN_LENGTH);
  });
}

/** The same shop each time. */
let state = 20_260_101;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

async function send(db: Database, sent: readonly Instance[], instants: ReadonlyMap<number, number[]>): Promise<void> {
  const names = ({ user, tokens }: Instance) => JSON.stringify([user, ...tokens]);
  const moments = (model: number) => JSON.stringify(instants.get(model));
  const models = [...new Set(sent.map(({ model }) => model.id))];
  await db.query(
    `insert into bench_instances
     select x.n, x.model, x.base, (select array_agg(v order by k) from jsonb_array_elements_text(x.names::jsonb) with ordinality v(v, k))
       || (select array_agg(to_char((x.base + v::float * interval '1 ms') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') order by k)
           from jsonb_array_elements_text(m.ms::jsonb) with ordinality v(v, k))
     from unnest($1::int[], $2::int[], $3::timestamptz[], $4::text[]) x(n, model, base, names)
     join unnest($5::int[], $6::text[]) m(model, ms) using (model)`,
    [
      arrayLiteral(sent.map(({ n }) => n)),
      arrayLiteral(sent.map(({ model }) => model.id)),
      arrayLiteral(sent.map(({ base }) => new Date(base).toISOString())),
      arrayLiteral(sent.map(names)),
      arrayLiteral(models),
      arrayLiteral(models.map(moments)),
    ],
  );
}

/** Every order (or event without one) in the order of time, as they were written in life. */
async function writeTargets(db: Database, models: readonly Model[]): Promise<number> {
  const starts = models.flatMap(({ id, starts: ms }) => ms.map((start, nth) => ({ id, nth, start })));
  await db.query('create unlogged table bench_targets (seq int primary key, n int, model int, nth int)', []);
  await db.query(
    `insert into bench_targets select row_number() over (order by i.base + m.start * interval '1 ms'), i.n, i.model, m.nth
     from bench_instances i join unnest($1::int[], $2::int[], $3::float[]) m(model, nth, start) using (model)`,
    [
      arrayLiteral(starts.map(({ id }) => id)),
      arrayLiteral(starts.map(({ nth }) => nth)),
      arrayLiteral(starts.map(({ start }) => start)),
    ],
  );
  await db.query('analyze bench_targets', []);
  const [row] = await db.query<{ n: number }>('select count(*)::int as n from bench_targets', []);
  return row?.n ?? 0;
}

async function fill(db: Database, { table, columns, values }: Template, from: number, to: number): Promise<void> {
  await db.query(
    `insert into ${table} (${columns.join(', ')}) select ${values.join(', ')}
     from (select g.seq, g.n, g.nth, g.model from bench_targets g where g.seq between $1::int and $2::int offset 0) g
     join bench_instances i on i.n = g.n join bench_${table} t on t.model = g.model and t.nth = g.nth order by g.seq`,
    [from, to],
  );
}

/** Some that are open, and many more that are not. */
async function writeFindings(db: Database): Promise<void> {
  await db.query(
    `insert into findings (id, fingerprint, kind, severity, order_id, detail, opened_at, resolved_at)
     select 'fnd_' || substr(id, 5), 'deadline ' || id, 'deadline_missed', 'warning', id, 'nothing came of its deadline', updated_at,
       case when state <> 'parked' then updated_at + interval '1 hour' end
     from orders where substr(id, 16, 2) = '00' or state = 'parked'`,
    [],
  );
}

/** Orders that came since the tallies were counted: their transitions are nearly as many as a page still counts itself. */
const YOUNG_ORDERS = 480;
/** How far ahead of the clock they are put, in ms: the tallies do not reach them as long as a run lasts. */
const AHEAD_MS = 3_600_000;

/** Puts the newest orders' transitions and events where no tally counts them, so that every look at the overview does. */
export async function keepYoung(db: Database, now: Date): Promise<void> {
  const young = `select id from orders order by created_at desc limit ${YOUNG_ORDERS}`;
  for (const [table, at] of [
    ['transitions', 'at'],
    ['inbox', 'received_at'],
  ] as const)
    await db.query(
      `update ${table} set ${at} = $1::text::timestamptz + random() * interval '30 s' where order_id in (${young})`,
      [new Date(now.getTime() + AHEAD_MS).toISOString()],
    );
}
