// Keeps the tallies: counts what was committed a little while ago, each row once, and looks a second time at what may have
// been counted too early. Any number of replicas run it; of several that count the same stretch one writes.
import type { Logger } from 'pino';
import type { Database } from '../../../db/client.ts';
import {
  addTallies,
  readTalliesOf,
  type Tally,
  type TallyCursor,
  type TallySource,
  takeTallyCursor,
} from '../../../db/tallies.ts';
import {
  changedMoney,
  countStretch,
  KINDS,
  overtakenHours,
  rowsIn,
  rowsTold,
  summed,
} from '../../../db/tallyStretch.ts';
import type { Clock } from '../../clock.ts';
import type { Job } from '../../sweeper/jobs.ts';

/** Pause between two rounds, in ms: a page adds what is younger itself, so this only bounds how much that is. */
const COUNT_EVERY_MS = 10_000;
/**
 * What is younger is not counted yet, in ms. A row is stamped before it is committed: longer than a request, its retries and
 * the difference between the replicas' clocks together.
 */
const MARGIN_MS = 60_000;
/** Rows counted in one statement: a fraction of a second, far from the statement's time limit. */
const PAGE_ROWS = 20_000;
/** When an hour is counted again if its rows are not as many as were counted, in ms after its end: by then a process that slept on its commit is awake or gone. */
const SECOND_LOOK_MS = 3_600_000;
/** Pause between looks for events whose verdict was not their last, in ms. */
const OVERTAKEN_EVERY_MS = 60_000;
/** How far back verdicts are kept true, in ms: what the page's longest chart shows. */
const OVERTAKEN_SPAN_MS = 31 * 86_400_000;
/** Hours that are counted again in one round: the rest has its turn in the next ones. */
const OVERTAKEN_HOURS = 24;
/** Hours given a second look in one round. */
const SECOND_LOOK_HOURS = 24;
const HOUR_MS = 3_600_000;
/** An hour's rows are told in so many parts: each is one quick statement even at thousands of orders a second. */
const PARTS_OF_HOUR = 12;

const SOURCES: readonly TallySource[] = ['transitions', 'inbox'];

export type TallyDeps = { db: Database; clock: Clock; log: Logger };

/** The job for the sweeper's loop. */
export function tallyJob(deps: TallyDeps): Job {
  let lookedAt = 0;
  return {
    name: 'tallies',
    everyMs: COUNT_EVERY_MS,
    async run(stop) {
      for (const source of SOURCES) {
        await countUp(deps, source, stop);
        await lookAgain(deps, source, stop);
      }
      const now = deps.clock().getTime();
      if (stop.aborted || now - lookedAt < OVERTAKEN_EVERY_MS) return;
      await recountOvertaken(deps, stop);
      lookedAt = now;
    },
  };
}

/** Counts page after page up to the margin. Stops when another replica was faster: it goes on from there. */
async function countUp({ db, clock }: TallyDeps, source: TallySource, stop: AbortSignal): Promise<void> {
  for (let whole = false; !whole && !stop.aborted; ) {
    const now = clock();
    const cursor = await takeTallyCursor(db, source, now);
    const to = new Date(now.getTime() - MARGIN_MS).toISOString();
    const stretch = await countStretch(db, source, { from: cursor.throughAt, to, limit: PAGE_ROWS });
    const { throughAt } = stretch;
    const money = source === 'transitions' ? await changedMoney(db, { from: cursor.throughAt, to: throughAt }) : null;
    const tallies = [...stretch.tallies, ...(money?.tallies ?? [])];
    const payments = money?.payments ?? [];
    const added = await addTallies(db, source, { after: cursor, ...cursor, throughAt, now, tallies, payments });
    if (!added) return;
    // A clock behind another replica's asks for a time that is counted already: whole as well.
    whole = stretch.whole || throughAt === cursor.throughAt;
  }
}

/** Each hour once, long after its end: rows that were committed later than the margin allows are found by their number. */
async function lookAgain(deps: TallyDeps, source: TallySource, stop: AbortSignal): Promise<void> {
  const { db, clock, log } = deps;
  for (let looked = 0; looked < SECOND_LOOK_HOURS && !stop.aborted; looked++) {
    const now = clock();
    const cursor = await takeTallyCursor(db, source, now);
    const hour = new Date(cursor.checkedAt);
    const end = new Date(hour.getTime() + HOUR_MS);
    if (end.getTime() + SECOND_LOOK_MS > Math.min(now.getTime(), new Date(cursor.throughAt).getTime())) return;
    const told = await readTalliesOf(db, hour.toISOString(), KINDS[source]);
    const there = await rowsInHour(db, source, hour);
    const checkedAt = end.toISOString();
    if (there === rowsTold(source, told)) {
      await addTallies(db, source, { after: cursor, ...cursor, checkedAt, now, tallies: [], payments: [] });
      continue;
    }
    log.warn(
      { source, hour, there, told: rowsTold(source, told) },
      'an hour was counted before all of it was there; counted again',
    );
    await recount(deps, source, { hour, cursor, told, checkedAt, now });
  }
}

async function rowsInHour(db: Database, source: TallySource, hour: Date): Promise<number> {
  const at = (part: number) => new Date(hour.getTime() + (part * HOUR_MS) / PARTS_OF_HOUR).toISOString();
  let rows = 0;
  for (let part = 0; part < PARTS_OF_HOUR; part++) rows += await rowsIn(db, source, at(part), at(part + 1));
  return rows;
}

/** Verdicts may change for days: an event that no order was known for finds its order. */
async function recountOvertaken(deps: TallyDeps, stop: AbortSignal): Promise<void> {
  const { db, clock } = deps;
  const now = clock();
  const { throughAt } = await takeTallyCursor(db, 'inbox', now);
  const since = Math.floor((now.getTime() - OVERTAKEN_SPAN_MS) / HOUR_MS) * HOUR_MS;
  const span = { from: new Date(since).toISOString(), to: throughAt, limit: OVERTAKEN_HOURS };
  for (const hour of await overtakenHours(db, span)) {
    if (stop.aborted) return;
    const cursor = await takeTallyCursor(db, 'inbox', now);
    const told = await readTalliesOf(db, hour, KINDS.inbox);
    await recount(deps, 'inbox', { hour: new Date(hour), cursor, told, checkedAt: cursor.checkedAt, now });
  }
}

type Recount = { hour: Date; cursor: TallyCursor; told: Tally[]; checkedAt: string; now: Date };

/** Counts an hour anew, as far as it was counted, and adds what differs. */
async function recount({ db }: TallyDeps, source: TallySource, { hour, cursor, told, checkedAt, now }: Recount) {
  const from = hour.toISOString();
  const to = earlier(cursor.throughAt, new Date(hour.getTime() + HOUR_MS).toISOString());
  const counted: Tally[] = [];
  for (let at = from, whole = false; !whole; ) {
    const stretch = await countStretch(db, source, { from: at, to, limit: PAGE_ROWS });
    counted.push(...stretch.tallies);
    whole = stretch.whole;
    at = stretch.throughAt;
  }
  const money = source === 'transitions' ? await changedMoney(db, { from, to }) : null;
  const minus = told.map(tally => ({ ...tally, count: -tally.count, amountMinor: -tally.amountMinor }));
  const tallies = [...summed([...counted, ...minus]), ...(money?.tallies ?? [])];
  const payments = money?.payments ?? [];
  await addTallies(db, source, { after: cursor, ...cursor, checkedAt, now, tallies, payments });
}

/** The database's text of an instant has microseconds, which a Date would drop: it stays as it is when it is the earlier one. */
function earlier(databaseText: string, iso: string): string {
  return new Date(databaseText).getTime() < new Date(iso).getTime() ? databaseText : iso;
}
