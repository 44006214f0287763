// The one way to the database: single statements with a deadline. The driver is only safe that way: multi-statement
// transactions can continue inside somebody else's after a lost connection, and pipelined queries hang (decision 0001).
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { classOf, QueryLost, sqlStateOf } from './sqlstate.ts';

/** How long a query may wait for a free connection, in ms: past it the service is overloaded and should say so. */
const POOL_WAIT_MS = 1_000;
/** How long the server may work on one statement, in ms. Shorter than the deadline, or an abandoned statement commits later. */
const STATEMENT_TIMEOUT_MS = 3_000;
/** How long a query may take in all, in ms: past it the connection is a black hole and its whole pool is thrown away. */
const QUERY_DEADLINE_MS = 4_000;
/** Pause before a statement the server asked to repeat is repeated, in ms, times the tries so far: so that those it met get done. */
const AGAIN_PAUSE_MS = 2;
/** How long connecting may take, in s. */
const CONNECT_TIMEOUT_S = 2;
/** Pause before a lost connection is made again, in s: short, because the queue waits for it. */
const RECONNECT_PAUSE_S = 0.05;
/** How long closing waits for running statements, in s: longer than any of them may run. */
const CLOSE_TIMEOUT_S = 5;

export type Param = string | number | boolean | null;
export type Row = Record<string, unknown>;

export type Database = {
  /** Runs one statement and answers its rows. Rejects with the server's error, or QueryLost when no answer told. */
  query<R extends Row>(text: string, params: readonly Param[]): Promise<R[]>;
  close(): Promise<void>;
};

export type DatabaseOptions = {
  url: string;
  /** Connections kept; each runs one statement at a time. */
  connections: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
};

export function openDatabase(options: DatabaseOptions): Database {
  let client = connect(options);
  const slots = openSlots(options.connections);

  /** A serialization failure or a deadlock undid the statement whole: the same one again, as long as a query may take. */
  async function query<R extends Row>(text: string, params: readonly Param[]): Promise<R[]> {
    const giveUpAt = performance.now() + QUERY_DEADLINE_MS;
    for (let tries = 1; ; tries++) {
      try {
        return await once<R>(text, params);
      } catch (error) {
        if (classOf(error) !== 'again' || performance.now() >= giveUpAt) throw error;
        await sleep(AGAIN_PAUSE_MS * tries);
      }
    }
  }

  async function once<R extends Row>(text: string, params: readonly Param[]): Promise<R[]> {
    const release = await slots.take();
    const used = client;
    try {
      return await withDeadline(run<R>(used, text, params), () => {
        // A query past its deadline poisons the pool it ran in: leave it to die and start a fresh one.
        if (client === used) client = connect(options);
        used.end({ timeout: 0 }).catch(() => {});
      });
    } finally {
      release();
    }
  }

  return { query, close: () => client.end({ timeout: CLOSE_TIMEOUT_S }) };
}

function connect({ url, connections, applicationName }: DatabaseOptions): postgres.Sql {
  const options: postgres.Options<Record<string, never>> & { max_pipeline: number } = {
    max: connections,
    max_pipeline: 1,
    backoff: () => RECONNECT_PAUSE_S,
    connect_timeout: CONNECT_TIMEOUT_S,
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: applicationName,
      TimeZone: 'UTC',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      // The driver drops settings that are false: they must be words.
      // The statements are large and the same; planning them anew for each batch would cost more than running them.
      plan_cache_mode: 'force_generic_plan',
      // A plan made while a table is empty would read all of it for ever after: every look-up here is by key.
      enable_seqscan: 'off',
      jit: 'off',
    },
  };
  return postgres(url, options);
}

async function run<R extends Row>(client: postgres.Sql, text: string, params: readonly Param[]): Promise<R[]> {
  const result = await client.unsafe<R[]>(text, params as Param[], { prepare: true }).catch((error: unknown) => {
    if (sqlStateOf(error)) throw error;
    throw new QueryLost('the connection to the database was lost', error);
  });
  // After a failed query the driver's next result can start with holes, and its length lies.
  const rows: R[] = [];
  for (const row of result) if (row !== undefined) rows.push(row);
  if (rows.length !== result.count && result.command === 'SELECT') {
    throw new QueryLost(`the driver answered ${rows.length} of ${result.count} rows`);
  }
  return rows;
}

function withDeadline<T>(running: Promise<T>, abandon: () => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      abandon();
      reject(new QueryLost(`no answer from the database within ${QUERY_DEADLINE_MS} ms`));
    }, QUERY_DEADLINE_MS);
    running.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Hands out one slot a connection, first come first served; who waits too long is told so. */
function openSlots(count: number) {
  let free = count;
  const waiting: (() => void)[] = [];
  const release = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  const take = (): Promise<() => void> => {
    if (free > 0) {
      free -= 1;
      return Promise.resolve(release);
    }
    return new Promise((resolve, reject) => {
      const turn = () => {
        clearTimeout(timer);
        resolve(release);
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(turn), 1);
        reject(new QueryLost(`no free connection to the database within ${POOL_WAIT_MS} ms`));
      }, POOL_WAIT_MS);
      waiting.push(turn);
    });
  };
  return { take };
}
