// The yardstick: pgbench writes the rows of a paid order with one prepared statement an order, knowing everything in
// advance and deciding nothing. What it reaches is what this PostgreSQL gives to a service that writes order by order.
import { execFile, spawn } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Database } from '../db/client.ts';
import { type Run, type Sent, steadyPart } from './measure.ts';
import { COUNT_LENGTH, type Orders } from './seed.ts';
import { type Column, rowsOf, TABLES } from './writtenRows.ts';

/** Connections pgbench keeps busy. */
export const PGBENCH_CLIENTS = 16;
/**
 * Transactions of each client that are left out of its rate, at most: a fresh connection first fills its caches and makes
 * its plans, which the service's connections have long done.
 */
const CLIENT_WARM_UP = 10;
/** Of the service's own connection settings, those that make pgbench faster too. */
const SETTINGS = '-c plan_cache_mode=force_generic_plan -c jit=off';
/** A part takes seconds; past this pgbench hangs, in ms. */
const PGBENCH_LIMIT_MS = 600_000;
/** Stands in the statement for where the orders of one part begin. */
const TIME_PLACE = '@time@';
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** pgbench from PATH or from where Debian puts it; null where there is none. */
export async function findPgbench(path: string): Promise<string | null> {
  const versions = await readdir(DEBIAN_FOLDER).catch(() => []);
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a));
  const folders = [...path.split(delimiter), ...newestFirst.map(version => join(DEBIAN_FOLDER, version, 'bin'))];
  for (const folder of folders) {
    const file = join(folder, 'pgbench');
    if (
      folder !== '' &&
      (await access(file).then(
        () => true,
        () => false,
      ))
    )
      return file;
  }
  return null;
}

export function pgbenchVersion(pgbench: string): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile(pgbench, ['--version'], (error, stdout) => (error ? reject(error) : resolve(stdout.trim()))),
  );
}

/** The statement that writes for one order what the order with the tail `model` has, as a function of its tail. */
export async function statementLike(db: Database, model: string): Promise<string> {
  const parts: string[] = [];
  for (const table of TABLES) {
    const rows = await rowsOf(db, table, model);
    if (rows.length === 0) throw new Error(`a paid order leaves nothing in ${table}`);
    rows.forEach((columns, index) => {
      const body = table === 'orders' ? updateOrder(columns, model) : insertRow(table, columns, model);
      parts.push(`${table}_${index} as (${body})`);
    });
  }
  // pgbench hands in the number of the order; TIME_PLACE is filled in for each part.
  return `with k as materialized (select '${TIME_PLACE}' || lpad((:n)::bigint::text, ${COUNT_LENGTH}, '0') as tail),\n${parts.join(',\n')}\nselect count(*) from k;`;
}

const UPDATED_COLUMNS = ['state', 'version', 'snapshot', 'wake_at', 'provider_order_id', 'grant_error', 'updated_at'];

function updateOrder(columns: Column[], model: string): string {
  const set = columns
    .filter(column => UPDATED_COLUMNS.includes(column.name))
    .map(column => `${column.name} = ${expression(column, model)}`);
  return `update orders t set ${set.join(', ')} from k where t.id = 'ord_' || k.tail and t.version = 2`;
}

function insertRow(table: string, columns: Column[], model: string): string {
  const names = columns.map(column => column.name);
  const values = columns.map(column => expression(column, model));
  return `insert into ${table} (${names.join(', ')}) select ${values.join(', ')} from k`;
}

/** The column's value as SQL, with the model's tail wherever it occurs replaced by the order's own. */
function expression({ type, value, defaultsToNow, name }: Column, model: string): string {
  if (value === null) return `null::${type}`;
  if (defaultsToNow) return 'now()';
  // An effect's id is made at the commit and thus not made of the order's tail.
  if (type === 'text' && name === 'id' && value.startsWith('eff_')) return `'eff_' || k.tail`;
  const text = type === 'bytea' ? Buffer.from(value.slice('\\x'.length), 'hex').toString('utf8') : value;
  const joined = text
    .split(model)
    .map(piece => withoutVariables(`'${piece.replaceAll("'", "''")}'`))
    .join(' || k.tail || ');
  return type === 'bytea' ? `convert_to(${joined}, 'UTF8')` : `(${joined})::${type}`;
}

/** pgbench takes a colon before a letter for a variable, also inside quotes: end the literal between the two. */
const withoutVariables = (literal: string) => literal.replace(/:(?=[A-Za-z_])/g, ":' || '");

export type PgbenchOptions = {
  pgbench: string;
  url: string;
  statement: string;
  orders: Orders;
  tempFolder: string;
  signal: AbortSignal;
};

/** Writes the orders' rows with pgbench. Their number must be a multiple of its clients. */
export async function payThroughPgbench(options: PgbenchOptions): Promise<Run> {
  const { orders, tempFolder } = options;
  if (orders.count % PGBENCH_CLIENTS !== 0) throw new Error(`pgbench needs a multiple of ${PGBENCH_CLIENTS} orders`);
  const folder = await mkdtemp(join(tempFolder, 'pgbench-'));
  try {
    // Clients take turns, so that keys come in the order of time here too.
    const script = join(folder, 'order.sql');
    const lines = [`\\set n :client_id + :i * ${PGBENCH_CLIENTS}`, '\\set i :i + 1'];
    const statement = options.statement.replace(TIME_PLACE, orders.time);
    await writeFile(script, `${lines.join('\n')}\n${statement}\n`);
    const said = await run(options, folder, script);
    const failed = Number(/number of failed transactions: (\d+)/.exec(said)?.[1] ?? 0);
    const written = await transactions(folder);
    if (failed > 0 || written.length !== orders.count)
      throw new Error(`pgbench wrote ${written.length} orders:\n${said}`);
    return steadyPartOf(written);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run({ pgbench, url, orders, signal }: PgbenchOptions, folder: string, script: string): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const perClient = orders.count / PGBENCH_CLIENTS;
  const args = ['-n', '-M', 'prepared', '-c', String(PGBENCH_CLIENTS), '-j', '2', '-t', String(perClient)];
  const logs = ['--log', `--log-prefix=${join(folder, 'latency')}`];
  const child = spawn(pgbench, [...args, ...logs, '-D', 'i=0', '-f', script, pathname.slice(1)], {
    env: {
      PATH: process.env.PATH,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGOPTIONS: SETTINGS,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PGBENCH_LIMIT_MS,
    signal,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code =>
      code === 0 ? resolve(said) : reject(new Error(`pgbench ended with ${code}:\n${said}`)),
    );
  });
}

type Transaction = Sent & { client: string };

/** pgbench logs a line a transaction: client, its count, µs taken, script, and when it ended in s and µs. */
async function transactions(folder: string): Promise<Transaction[]> {
  const all: Transaction[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith('latency')) continue;
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
      const [client, , micros, , seconds, rest] = line.split(' ');
      const answeredMs = Number(seconds) * 1e3 + Number(rest) / 1e3;
      if (client) all.push({ client, sentMs: answeredMs - Number(micros) / 1e3, answeredMs });
    }
  }
  return all;
}

/** From when every client is warm until the first of them has done its share. */
function steadyPartOf(all: Transaction[]): Run {
  const ends = new Map<string, number[]>();
  for (const { client, answeredMs } of all) ends.set(client, [...(ends.get(client) ?? []), answeredMs]);
  const sorted = [...ends.values()].map(times => times.sort((a, b) => a - b));
  const from = Math.max(...sorted.map(times => times[Math.min(CLIENT_WARM_UP, times.length >> 2)]!));
  const to = Math.min(...sorted.map(times => times.at(-1)!));
  return steadyPart(all, from, to);
}
