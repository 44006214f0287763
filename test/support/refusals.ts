// Rules that somebody adds to the database by hand and that refuse chosen rows, as triggers: what an operator may find in
// the field, and what the service must live with.
import type postgres from 'postgres';
import { until } from './databaseChecks.ts';

export type Refusal = {
  /** How often it has refused so far; a rolled back statement counts. */
  count(): Promise<number>;
  /** Resolves when it has refused at least this often. */
  reached(times: number): Promise<void>;
  remove(): Promise<void>;
};

let made = 0;

/** Refuses rows of `table` for which `when` (SQL over `new`) holds, the first `times` of them. */
export async function refuse(
  sql: postgres.Sql,
  table: 'grants' | 'inbox' | 'transitions' | 'subscriptions',
  rule: { when: string; message: string; errcode?: string; times?: number },
): Promise<Refusal> {
  const name = `refusal_${made++}`;
  const { when, message, errcode = 'P0001', times = 1_000_000 } = rule;
  await sql.unsafe(`
    create sequence ${name};
    create function ${name}() returns trigger language plpgsql as $$ begin
      if ${when} and nextval('${name}') <= ${times} then raise exception '${message}' using errcode = '${errcode}'; end if;
      return new;
    end $$;
    create trigger ${name} before insert on ${table} for each row execute function ${name}();`);
  const count = async () => {
    const [row] = await sql.unsafe(`select case when is_called then last_value else 0 end::int as n from ${name}`);
    return row?.n as number;
  };
  return {
    count,
    reached: howOften => until(`${table} were refused ${howOften} times`, async () => (await count()) >= howOften),
    async remove() {
      await sql.unsafe(`drop function if exists ${name} cascade`);
    },
  };
}
