// The rows one paid order leaves behind, table by table: read back from an order that was paid for real, so that pgbench
// writes exactly what the service writes, and counted afterwards, so that nobody has to take that on trust.
import type { Database } from '../db/client.ts';
import { COUNT_LENGTH, type Orders } from './seed.ts';

/** How far the average row sizes of two loads may lie apart, as a share. */
const SIZE_TOLERANCE = 0.02;

/** Which rows of each table a payment writes. */
const WRITTEN = {
  orders: { key: 'id', where: 'version = 4' },
  transitions: { key: 'order_id', where: 'version > 2' },
  payments: { key: 'order_id', where: 'true' },
  subscriptions: { key: 'user_id', where: 'true' },
  grants: { key: 'order_id', where: 'true' },
  outbox: { key: 'order_id', where: 'true' },
  inbox: { key: 'order_id', where: 'true' },
} as const;
export type Table = keyof typeof WRITTEN;
export const TABLES = Object.keys(WRITTEN) as Table[];

const firstKey = (table: Table, tail: string) => `${WRITTEN[table].key === 'user_id' ? 'user' : 'ord'}_${tail}`;

export type Column = { name: string; type: string; value: string | null; defaultsToNow: boolean };

/** The rows a paid order has in this table, column by column, in the order they are numbered. */
export async function rowsOf(db: Database, table: Table, tail: string): Promise<Column[][]> {
  const { key, where } = WRITTEN[table];
  const cells = await db.query<Column & { row: string }>(
    `select t.ctid::text as row, a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
       to_jsonb(t) ->> a.attname::text as value, coalesce(pg_get_expr(d.adbin, d.adrelid) = 'now()', false) as "defaultsToNow"
     from ${table} t
     join pg_attribute a on a.attrelid = '${table}'::regclass and a.attnum > 0 and not a.attisdropped
     left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where t.${key} = $1 and ${where} order by t.ctid, a.attnum`,
    [firstKey(table, tail)],
  );
  const rows = new Map<string, Column[]>();
  for (const { row, ...column } of cells) rows.set(row, [...(rows.get(row) ?? []), column]);
  return [...rows.values()];
}

export type Written = { rows: number; bytes: number };

/** How many rows these orders have in each table, and how large they are on average, in bytes. */
export async function countWritten(db: Database, { time }: Orders): Promise<Record<Table, Written>> {
  const counted: [Table, Written][] = [];
  for (const table of TABLES) {
    const { key, where } = WRITTEN[table];
    const [row] = await db.query<{ rows: number; bytes: number }>(
      `select count(*)::int as rows, coalesce(avg(pg_column_size(t.*)), 0)::float as bytes
       from ${table} t where t.${key} between $1 and $2 and ${where}`,
      [firstKey(table, `${time}${'0'.repeat(COUNT_LENGTH)}`), firstKey(table, `${time}${'9'.repeat(COUNT_LENGTH)}`)],
    );
    if (row) counted.push([table, row]);
  }
  return Object.fromEntries(counted) as Record<Table, Written>;
}

/** @throws Error when two loads did not write the same number of rows of the same size: then a ratio would mean nothing */
export async function assertSameRows(db: Database, ours: Orders, theirs: Orders): Promise<Record<Table, Written>> {
  const [a, b] = [await countWritten(db, ours), await countWritten(db, theirs)];
  for (const table of TABLES) {
    const { rows, bytes } = a[table];
    const apart = Math.abs(bytes - b[table].bytes) / bytes;
    if (rows !== 0 && rows === b[table].rows && apart <= SIZE_TOLERANCE) continue;
    throw new Error(
      `the loads did not write the same rows: ${table} has ${rows} of ${bytes.toFixed(1)} bytes and ${b[table].rows} of ${b[table].bytes.toFixed(1)} bytes`,
    );
  }
  return a;
}
