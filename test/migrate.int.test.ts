// Migrations at start: replicas that start together apply them once, and a start that finds nothing to do does nothing.
import postgres from 'postgres';
import { afterEach, expect, test } from 'vitest';
import { migrate } from '../db/migrate.ts';
import { createTestDatabase, type TestDatabase } from './support/testDatabase.ts';

const made: TestDatabase[] = [];
afterEach(async () => {
  for (const database of made.splice(0)) await database.drop();
});

async function emptyDatabase(): Promise<string> {
  const database = await createTestDatabase();
  made.push(database);
  return database.url;
}

async function schemaOf(url: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const columns = await sql`
      select table_name, column_name, data_type from information_schema.columns where table_schema = 'public' order by 1, 2`;
    const indexes = await sql`select indexname from pg_indexes where schemaname = 'public' order by 1`;
    const applied = await sql`select hash from drizzle.__drizzle_migrations order by id`;
    return { columns: [...columns], indexes: [...indexes], applied: applied.map(row => row.hash) };
  } finally {
    await sql.end();
  }
}

test('a second start changes nothing', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const first = await schemaOf(url);
  expect(first.columns.length).toBeGreaterThan(50);
  await migrate(url);
  expect(await schemaOf(url)).toEqual(first);
});

test('replicas that start together on an empty database all succeed and apply each migration once', async () => {
  const alone = await emptyDatabase();
  await migrate(alone);
  const expected = await schemaOf(alone);
  for (let round = 0; round < 5; round++) {
    const url = await emptyDatabase();
    const starts = await Promise.allSettled([migrate(url), migrate(url), migrate(url)]);
    for (const start of starts) expect(start).toEqual({ status: 'fulfilled', value: undefined });
    expect(await schemaOf(url)).toEqual(expected);
  }
});

test('a migration that cannot be applied is told in the words of the database', async () => {
  const url = await emptyDatabase();
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`create view orders as select 1 as mine`;
  await sql.end();
  await expect(migrate(url)).rejects.toThrow();
});
