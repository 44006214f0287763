// The one way to the database, against everything the driver is known to do wrong: lost connections, answers that never
// come, holes after errors, and successes that were none.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { arrayLiteral } from '../db/arrays.ts';
import { type Database, openDatabase } from '../db/client.ts';
import { classOf, QueryLost } from '../db/sqlstate.ts';
import { until } from './support/databaseChecks.ts';
import { captured, createWorld, openOrder, type World, webhook } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function database(connections: number, url = world.url): Database {
  const db = openDatabase({ url, connections, applicationName: 'paylatch-test-client' });
  closing.push(() => db.close());
  return db;
}
const rejection = (attempt: Promise<unknown>) =>
  attempt.then(
    () => {
      throw new Error('was not refused');
    },
    (error: unknown) => error,
  );
const pidOf = async (db: Database) => (await db.query<{ pid: number }>('select pg_backend_pid() as pid', []))[0]?.pid;

describe('a query', () => {
  test('brings every text there and back, except what PostgreSQL cannot hold', async () => {
    const db = database(1);
    const texts = [
      '',
      'NULL',
      'null',
      '{}',
      ',',
      '"',
      '\\',
      '\\"',
      "'; drop table x; --",
      '{"a":1}',
      'é 漢 😀',
      ' \t\n\r',
      '\\x00',
      '$1',
    ];
    const rows = await db.query<{ t: string | null; n: number }>(
      'select t, n from unnest($1::text[], $2::int[]) with ordinality as x(t, n, o) order by o',
      [arrayLiteral([...texts, null]), arrayLiteral([...texts, null].map((_, index) => index))],
    );
    expect(rows.map(row => row.t)).toEqual([...texts, null]);
    const plain = await db.query<{ t: string }>('select $1::text as t', ['a "quoted" \\ text \n é😀']);
    expect(plain[0]?.t).toBe('a "quoted" \\ text \n é😀');
    expect(classOf(await rejection(db.query('select $1::text', ['nul \0']).then(() => {})))).toBe('data');
    expect(await pidOf(db)).toBeTypeOf('number');
  });

  test('that fails leaves no hole in the answer of the next one', async () => {
    const db = database(1);
    const pid = await pidOf(db);
    for (let fails = 1; fails <= 5; fails++) {
      const halfway = db.query('select 1 / ($1::int - g) from generate_series(1, 5) g', [fails]);
      expect(classOf(await rejection(halfway))).toBe('data');
      const rows = await db.query<{ g: number }>('select g from generate_series(1, 5) g', []);
      expect(rows).toEqual([1, 2, 3, 4, 5].map(g => ({ g })));
    }
    expect(await pidOf(db), 'the same connection all along').toBe(pid);
  });

  test('that the server undid and asked for again is sent again, and one it refuses is not', async () => {
    await world.sql.unsafe(`
      create sequence undone;
      create function undone(code text) returns bigint language plpgsql as $$ begin
        if nextval('undone') % 3 <> 0 then raise exception 'undone' using errcode = code; end if;
        return currval('undone');
      end $$;`);
    const db = database(1);
    expect(await db.query<{ n: string }>('select undone($1)::text as n', ['40001'])).toEqual([{ n: '3' }]);
    expect(await db.query<{ n: string }>('select undone($1)::text as n', ['40P01'])).toEqual([{ n: '6' }]);
    expect(await rejection(db.query('select undone($1)', ['23514']))).toMatchObject({ code: '23514' });
    expect(await rejection(db.query('select undone($1)', ['55P03']))).toMatchObject({ code: '55P03' });
  });

  test('is not done before its commit is: a rule checked at the end refuses it', async () => {
    await world.sql.unsafe(`
      create table late (id int);
      create function late_refusal() returns trigger language plpgsql as $$ begin raise exception 'too late'; end $$;
      create constraint trigger late_refusal after insert on late deferrable initially deferred for each row execute function late_refusal();`);
    const db = database(1);
    const error = await rejection(db.query('insert into late values (1) returning id', []));
    expect(error).toMatchObject({ message: 'too late', code: 'P0001' });
    expect(await db.query('select id from late', [])).toEqual([]);
  });

  test('whose connection is cut is lost, and the next one has a connection again', async () => {
    const db = database(1);
    for (let cut = 0; cut < 5; cut++) {
      const pid = await pidOf(db);
      const lost = rejection(db.query('select pg_sleep(30)', []));
      await until('it sleeps', async () => {
        const [row] = await world.sql`select wait_event from pg_stat_activity where pid = ${pid!}`;
        return row?.wait_event === 'PgSleep';
      });
      await world.sql`select pg_terminate_backend(${pid!})`;
      expect(classOf(await lost)).toBe('unavailable');
      expect(await lostAtMostOnce(() => pidOf(db))).not.toBe(pid);
    }
  });

  test('is told when no connection is free', async () => {
    const db = database(1);
    const busy = db.query('select pg_sleep(2)', []);
    const waiting = await rejection(db.query('select 1', []));
    expect(waiting).toBeInstanceOf(QueryLost);
    expect((waiting as Error).message).toContain('no free connection');
    await busy;
    expect(await db.query('select 1 as one', [])).toEqual([{ one: 1 }]);
  });

  test('that takes the server too long is ended by the server', async () => {
    const db = database(1);
    const error = await rejection(db.query('select pg_sleep(30)', []));
    expect(error).toMatchObject({ code: '57014' });
    expect(await db.query('select 1 as one', [])).toEqual([{ one: 1 }]);
  });

  test('past its deadline is lost, and the next one works while the old one still runs', async () => {
    const db = database(1);
    const pid = await pidOf(db);
    await db.query(`select set_config('statement_timeout', '0', false)`, []);
    expect(await rejection(db.query('select pg_sleep(600)', []))).toBeInstanceOf(QueryLost);
    expect(await pidOf(db)).not.toBe(pid);
    await world.sql`select pg_terminate_backend(${pid!})`;
  });
});

describe('a black hole between service and database', () => {
  test('loses the queries in it and not the ones after it', async () => {
    const proxy = await blackHole(world.url);
    const db = database(3, proxy.url);
    await Promise.all([1, 2, 3].map(() => db.query('select 1', [])));
    proxy.swallow(true);
    const lost = await Promise.all([1, 2, 3].map(() => rejection(db.query('select 1', []))));
    for (const error of lost) expect(error).toBeInstanceOf(QueryLost);
    proxy.swallow(false);
    expect(await db.query('select 1 as one', [])).toEqual([{ one: 1 }]);
  });

  test('keeps dispatch waiting, not hanging: what was sent into it is decided once', async () => {
    const proxy = await blackHole(world.url);
    const dispatcher = world.dispatcherOn(database(4, proxy.url));
    const order = await openOrder(world);
    await dispatcher.dispatch(webhook('sbo-warm', captured('pay-warm')));
    proxy.swallow(true);
    const paid = webhook(order.providerOrderId, captured(`pay-${order.id}`));
    const call = dispatcher.dispatch(paid);
    await until('something went in', () => proxy.swallowed() > 0);
    proxy.swallow(false);
    expect(await call).toMatchObject({ verdict: 'applied', state: 'subscribed', version: 4 });
  });
});

describe('text in events', () => {
  test('is stored whatever it contains; what jsonb cannot hold becomes a replacement character', async () => {
    const order = await openOrder(world);
    const reason = `"quoted" \\ back {a,NULL} 'single' é 漢 😀 \n\t nul:\0 lone:\ud83d end`;
    const failed = webhook(order.providerOrderId, { type: 'payment.failed', paymentId: 'pay-"odd\\', reason });
    expect(await world.dispatch(failed)).toMatchObject({ verdict: 'applied', state: 'failed' });
    const [row] = await world.sql`select event from transitions where order_id = ${order.id} and version = 3`;
    expect(row?.event).toMatchObject({
      paymentId: 'pay-"odd\\',
      reason: reason.replace('\0', '\ufffd').replace('\ud83d ', '\ufffd '),
    });
    const [kept] = await world.sql`select raw from inbox where event_key = ${failed.eventKey}`;
    expect(Buffer.from(kept?.raw)).toEqual(Buffer.from(failed.received?.raw ?? []));
  });
});

/** A connection cut while idle is only noticed by who uses it next. */
async function lostAtMostOnce<T>(query: () => Promise<T>): Promise<T> {
  return query().catch(error => {
    if (classOf(error) !== 'unavailable') throw error;
    return query();
  });
}

/** A proxy that can stop passing bytes on without closing anything, as a dead network does. */
async function blackHole(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let swallowing = false;
  let swallowed = 0;
  const server: Server = createServer(client => {
    const upstream = connect(Number(port), hostname);
    // Whatever once was in the hole stays there: what is lost on the way does not come later.
    let dead = false;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', chunk => {
        dead ||= swallowing;
        if (dead) swallowed += chunk.length;
        else to.write(chunk);
      });
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        if (!dead) to.destroy();
      });
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: url.href,
    swallow: (on: boolean) => {
      swallowing = on;
    },
    swallowed: () => swallowed,
  };
}
