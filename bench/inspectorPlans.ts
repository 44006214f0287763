// How the database answers what the pages ask: each statement, with values a page really asked, explained under the
// settings the service runs with. A plan is bad when it reads a table or an index from end to end, or more rows than a
// page may cost.
import postgres from 'postgres';
import type { Param } from '../db/client.ts';

/**
 * Rows one statement may touch. The pages' own limits are 20,000 orders looked at, each perhaps with its events, and
 * 10,000 candidates of each of five causes, each looked up by its key.
 */
const MOST_ROWS = 150_000;
/** Rows one sort may hold: the candidates of all causes together. */
const MOST_SORTED = 60_000;
/** The settings of db/client.ts that decide about plans. */
const SETTINGS = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off', jit: 'off', TimeZone: 'UTC' };

export type Statement = { text: string; params: readonly Param[]; page: string; ms: number };
export type CheckedPlan = Statement & { problems: string[]; rows: number; sorted: number; indexes: string[] };

type Node = {
  'Node Type': string;
  'Parent Relationship'?: string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Node[];
};

export async function checkPlans(url: string, statements: readonly Statement[]): Promise<CheckedPlan[]> {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {}, connection: SETTINGS });
  const checked: CheckedPlan[] = [];
  try {
    for (const [index, statement] of statements.entries()) {
      const root = await planOf(sql, `asked_${index}`, statement);
      checked.push({ ...statement, ...judged(root) });
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
  return checked;
}

/** Prepared and executed, because the plan of a statement with its values in it is another one. */
async function planOf(sql: postgres.Sql, name: string, { text, params }: Statement): Promise<Node> {
  if (!/^\s*(select|with)\b/i.test(text) || /\b(insert into|delete from|update \w+ set)\b/i.test(text))
    throw new Error(`a page that only shows asked: ${text}`);
  await sql.unsafe(`prepare ${name} as ${text}`).simple();
  const values = params.length > 0 ? `(${params.map(literal).join(', ')})` : '';
  const [row] = await sql
    .unsafe(`explain (analyze, timing off, buffers off, format json) execute ${name}${values}`)
    .simple();
  await sql.unsafe(`deallocate ${name}`).simple();
  const told = row?.['QUERY PLAN'];
  const [{ Plan: root }] = (typeof told === 'string' ? JSON.parse(told) : told) as [{ Plan: Node }];
  return root;
}

const literal = (value: Param): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);

export function judged(root: Node): Pick<CheckedPlan, 'problems' | 'rows' | 'sorted' | 'indexes'> {
  const found = { problems: [] as string[], rows: 0, sorted: 0, indexes: new Set<string>() };
  walk(root, false, found);
  if (found.rows > MOST_ROWS) found.problems.push(`reads ${found.rows} rows`);
  if (found.sorted > MOST_SORTED) found.problems.push(`sorts ${found.sorted} rows`);
  return { ...found, indexes: [...found.indexes].sort() };
}

/** Takes in all its rows before it gives one: a limit above it does not end what is below. */
const TAKES_ALL = new Set([
  'Sort',

  'Aggregate',
  'Hash',
  'Materialize',
  'WindowAgg',
  'SetOp',
  'BitmapOr',
  'BitmapAnd',
]);

function walk(
  node: Node,
  isLimited: boolean,
  found: { problems: string[]; rows: number; sorted: number; indexes: Set<string> },
): void {
  const type = node['Node Type'];
  const loops = node['Actual Loops'] ?? 1;
  const passed = (node['Actual Rows'] ?? 0) * loops;
  const dropped = ((node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) * loops;
  const index = node['Index Name'];
  if (index) found.indexes.add(index);
  if (type === 'Seq Scan') found.problems.push(`reads all of ${node['Relation Name']}`);
  if (index && !node['Index Cond'] && !isLimited) found.problems.push(`reads all of ${index}`);
  if (/Scan$/.test(type) && (index || node['Relation Name'])) found.rows += Math.round(passed + dropped);
  if (type === 'Sort')
    found.sorted = Math.max(
      found.sorted,
      Math.round(passed),
      ...(node.Plans ?? []).map(below => Math.round((below['Actual Rows'] ?? 0) * (below['Actual Loops'] ?? 1))),
    );
  for (const below of node.Plans ?? []) {
    const isApart = below['Parent Relationship'] === 'InitPlan' || below['Parent Relationship'] === 'SubPlan';
    walk(below, type === 'Limit' || (isLimited && !isApart && !TAKES_ALL.has(type)), found);
  }
}
