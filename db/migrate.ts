// Brings a database to the schema this version needs, at start. Replicas that start together apply each migration once.
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import journal from './migrations/meta/_journal.json' with { type: 'json' };
import { sqlStateOf } from './sqlstate.ts';

const MIGRATIONS_FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));
/** How often a start tries again when another replica is migrating at the same moment: each try waits for the other's lock. */
const MAX_TRIES = 10;
/** What exists already (row, schema, table, type), or had to be undone: another replica was faster with the migrator's own tables. */
const COLLISIONS = new Set(['23505', '42P06', '42P07', '42710', '40001', '40P01']);

/** Applies what is missing, forward only. @throws the server's error when a migration cannot be applied */
export async function migrate(url: string): Promise<void> {
  // A client of its own: drizzle changes the parsers of the client it is given.
  const client = postgres(url, { max: 1, onnotice: () => {}, connection: { application_name: 'paylatch-migrate' } });
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        if (!(await isCurrent(client))) await applyMissing(client);
        return;
      } catch (error) {
        const cause = error instanceof Error && error.cause ? error.cause : error;
        if (attempt >= MAX_TRIES || !COLLISIONS.has(sqlStateOf(cause) ?? '')) throw error;
      }
    }
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** The migrator takes a fifth of a second to load; most starts find nothing for it to do. */
async function applyMissing(client: postgres.Sql): Promise<void> {
  const [{ drizzle }, { migrate: apply }] = await Promise.all([
    import('drizzle-orm/postgres-js'),
    import('drizzle-orm/postgres-js/migrator'),
  ]);
  await apply(drizzle(client), { migrationsFolder: MIGRATIONS_FOLDER });
}

/** True when the newest migration of this version is in the migrator's own table. */
async function isCurrent(client: postgres.Sql): Promise<boolean> {
  const [table] = await client`select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
  if (!table?.there) return false;
  const [applied] = await client`select max(created_at)::text as newest from drizzle.__drizzle_migrations`;
  return applied?.newest !== null && Number(applied?.newest) >= Math.max(...journal.entries.map(entry => entry.when));
}
