// The rows of the models as texts with gaps for names and instants, in tables beside the real ones: filling the gaps in
// SQL makes a million orders in the time in which dispatch would make some ten thousand.
import { arrayLiteral } from '../db/arrays.ts';
import type { Database, Row } from '../db/client.ts';
import { MODELS_AT, type Model, TOKEN_LENGTH } from './inspectorModels.ts';

/** The tables an order leaves rows in, each with how a row of the order `ord_{token}00` is found; parents first. */
const OWNED: Readonly<Record<string, string>> = {
  orders: `t.id = 'ord_' || $1 || '00'`,
  idempotency_keys: `t.order_id = 'ord_' || $1 || '00'`,
  transitions: `t.order_id = 'ord_' || $1 || '00'`,
  inbox: `t.event_key like 'evt_' || $1 || '%'`,
  outbox: `t.order_id = 'ord_' || $1 || '00'`,
  notification_attempts: `t.id like 'att_' || $1 || '%'`,
  payments: `t.order_id = 'ord_' || $1 || '00'`,
  refunds: `t.payment_id like 'pay_' || $1 || '%'`,
  disputes: `t.payment_id like 'pay_' || $1 || '%'`,
  grants: `t.order_id = 'ord_' || $1 || '00'`,
};
/** One row a user: it goes with the first order. */
const SUBSCRIPTIONS = `t.user_id = 'user_' || $2 and $3`;
const TABLES = [...Object.keys(OWNED), 'subscriptions'];

type Column = { name: string; type: string };
/** What fills a table: its columns, and for each the SQL that makes it of the template `t` and the names and instants `a`. */
export type Template = { table: string; columns: string[]; values: string[] };

/** What an instance of a model is made of besides its names: instants, in ms after it began. */
export type Templates = { templates: Template[]; instants: Map<number, number[]> };

const ISO = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

/** Writes `bench_{table}` for each table. The gaps: 1 is the user, then the orders' tokens, then the instants. */
export async function writeTemplates(db: Database, models: readonly Model[]): Promise<Templates> {
  const instants = new Map<number, number[]>(models.map(({ id }) => [id, []]));
  const templates: Template[] = [];
  for (const table of TABLES) {
    const columns = await db.query<Column>(
      `select attname::text as name, format_type(atttypid, atttypmod) as type from pg_attribute
       where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum`,
      [table],
    );
    const names = columns.map(({ name }) => name);
    await db.query(
      `create unlogged table bench_${table} (model int, nth int, ${names.map(name => `${name} text`).join(', ')})`,
      [],
    );
    const gapped = new Set<string>();
    for (const model of models) {
      for (const [nth, token] of model.tokens.entries()) {
        for (const row of await rowsOf(db, { table, columns, token, model, nth })) {
          const texts = names.map(name => templateOf(row[name] as string | null, model, instants.get(model.id) ?? []));
          for (const [index, text] of texts.entries()) if (text?.includes('%')) gapped.add(names[index] ?? '');
          await db.query(
            `insert into bench_${table} select $1::int, $2::int, ${names.map((_, index) => `($3::text[])[${index + 1}]`).join(', ')}`,
            [model.id, nth, arrayLiteral(texts)],
          );
        }
      }
    }
    await db.query(`create index on bench_${table} (model, nth)`, []);
    await db.query(`analyze bench_${table}`, []);
    templates.push({ table, columns: names, values: columns.map(column => filledIn(column, gapped.has(column.name))) });
  }
  return { templates, instants };
}

type Owner = { table: string; columns: Column[]; token: string; model: Model; nth: number };

function rowsOf(db: Database, { table, columns, token, model, nth }: Owner): Promise<Row[]> {
  const texts = columns.map(({ name, type }) => `${textOf(name, type)} as ${name}`).join(', ');
  const owned = OWNED[table];
  if (owned) return db.query(`select ${texts} from ${table} t where ${owned}`, [token]);
  return db.query(`select ${texts} from ${table} t where $1::text is not null and ${SUBSCRIPTIONS}::boolean`, [
    token,
    model.user,
    nth === 0,
  ]);
}

function textOf(name: string, type: string): string {
  if (type.startsWith('timestamp')) return `to_char(t.${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return type === 'bytea' ? `convert_from(t.${name}, 'UTF8')` : `t.${name}::text`;
}

function filledIn({ name, type }: Column, isGapped: boolean): string {
  const text = isGapped ? `format(t.${name}, variadic i.a)` : `t.${name}`;
  // Written as nothing, a null would become an empty text.
  const filled = isGapped ? `case when t.${name} is not null then ${text} end` : text;
  return type === 'bytea' ? `convert_to(${filled}, 'UTF8')` : `(${filled})::${type}`;
}

function templateOf(text: string | null, { user, tokens }: Model, instants: number[]): string | null {
  if (text === null) return null;
  let template = text.replaceAll('%', '%%').replaceAll(user, '%1$s');
  for (const [nth, token] of tokens.entries()) template = template.replaceAll(token, `%${nth + 2}$s`);
  template = template.replace(ISO, iso => {
    const ms = Date.parse(iso) - MODELS_AT;
    const known = instants.indexOf(ms);
    const index = known >= 0 ? known : instants.push(ms) - 1;
    return `%${index + 2 + tokens.length}$s`;
  });
  if (/zz[ou]\d{5}q/.test(template)) throw new Error(`a name of ${TOKEN_LENGTH} characters was left in: ${template}`);
  return template;
}
