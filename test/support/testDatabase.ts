// A database of its own for one test file, on the server of the test run.
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

export type TestDatabase = { url: string; drop(): Promise<void> };

/** Creates an empty database (no migrations) under a name nobody else has. `drop` cuts whatever still is connected to it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `paylatch_test_${randomBytes(8).toString('hex')}`;
  await asAdmin(`CREATE DATABASE ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** One connection per statement: nothing stays open between tests, and the server's connections are for the tests. */
async function asAdmin(statement: string): Promise<void> {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
