// Effects in the outbox of a test's database, and a worker for them whose handlers are the test's own.
import { type Logger, pino } from 'pino';
import type postgres from 'postgres';
import type { EffectName } from '../../machines/orderSetup.ts';
import { systemRandom } from '../../src/clock.ts';
import type { EffectEnd, EffectHandler, EffectHandlers, LeasedEffect } from '../../src/effects/effect.ts';
import type { WorkerDeps } from '../../src/effects/worker.ts';
import type { World } from './world.ts';

export const EFFECT_NAMES: readonly EffectName[] = [
  'open',
  'close',
  'capture',
  'void',
  'refund',
  'reconcile',
  'notify',
  'alert',
];

/** The same handler for every effect. */
export const handlersOf = (handle: EffectHandler): EffectHandlers =>
  Object.fromEntries(EFFECT_NAMES.map(name => [name, handle])) as Record<EffectName, EffectHandler>;

export const done = async (): Promise<EffectEnd> => ({ end: 'done' });

/** A handler that remembers what it was given. */
export function remembering(handle: (effect: LeasedEffect) => Promise<EffectEnd> = done) {
  const seen: LeasedEffect[] = [];
  const handler: EffectHandler = effect => {
    seen.push(effect);
    return handle(effect);
  };
  return { seen, keys: () => seen.map(effect => effect.dedupKey), handler };
}

let workers = 0;

export function workerOn(
  world: Pick<World, 'db' | 'clock' | 'newId'>,
  handle: EffectHandler,
  more: Partial<WorkerDeps> = {},
): WorkerDeps {
  return {
    db: world.db,
    handlers: handlersOf(handle),
    clock: world.clock,
    random: systemRandom,
    newId: world.newId,
    log: pino({ level: 'silent' }),
    workerId: `worker-${process.pid}-${workers++}`,
    ...more,
  };
}

/** What was logged, one object a line. */
export function logLines(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { log: pino({ level: 'trace' }, { write: line => void lines.push(JSON.parse(line)) }), lines };
}

export type EffectGiven = {
  effect: EffectName;
  /** Also its dedup key. */
  key: string;
  orderId?: string | null;
  version?: number;
  at?: Date;
};

let given = 0;

/** Writes effects as a commit would have, oldest first. */
export async function addEffects(
  { sql, clock }: Pick<World, 'sql' | 'clock'>,
  effects: readonly EffectGiven[],
): Promise<void> {
  const rows = effects.map(({ effect, key, orderId = null, version = 2, at = clock() }) => ({
    id: `eff_given_${String(given++).padStart(8, '0')}`,
    order_id: orderId,
    order_version: version,
    effect,
    payload: '{}',
    dedup_key: key,
    available_at: at.toISOString(),
  }));
  // As many as fit into one statement's parameters.
  for (let from = 0; from < rows.length; from += 5_000)
    await sql`insert into outbox ${sql(rows.slice(from, from + 5_000))}`;
}

export type OutboxRow = {
  id: string;
  orderId: string | null;
  effect: EffectName;
  payload: Record<string, unknown>;
  dedupKey: string;
  status: string;
  attempts: number;
  availableAt: Date;
  leasedBy: string | null;
  leased: boolean;
  lastError: string | null;
  doneAt: Date | null;
};

/** The rows, by dedup key. */
export async function outboxRows(
  sql: postgres.Sql,
  where: { orderId?: string; key?: string } = {},
): Promise<OutboxRow[]> {
  return sql<OutboxRow[]>`
    select id, order_id as "orderId", effect, payload, dedup_key as "dedupKey", status, attempts, available_at as "availableAt",
      leased_by as "leasedBy", leased_until is not null as leased, last_error as "lastError", done_at as "doneAt"
    from outbox where (${where.orderId ?? null}::text is null or order_id = ${where.orderId ?? null})
      and (${where.key ?? null}::text is null or dedup_key = ${where.key ?? null}) order by dedup_key`;
}

export async function outboxRow(sql: postgres.Sql, key: string): Promise<OutboxRow> {
  const [row] = await outboxRows(sql, { key });
  if (!row) throw new Error(`the outbox has no effect ${key}`);
  return row;
}

/** As if the time of every lease had passed, or of those of one worker. */
export async function endLeases(sql: postgres.Sql, workerId = ''): Promise<void> {
  await sql`update outbox set leased_until = now() - interval '1 second' where leased_until is not null and leased_by like ${`${workerId}%`}`;
}

/** A handler's end that the test gives when it likes. */
export function endByHand(): { promise: Promise<EffectEnd>; resolve: (end: EffectEnd) => void } {
  let resolve: (end: EffectEnd) => void = () => {};
  const promise = new Promise<EffectEnd>(given => {
    resolve = given;
  });
  return { promise, resolve };
}
