// Retry of one order: whatever failed last or was left waiting is run again, through dispatch like every other event. A part
// that fails again does not keep the others from being tried, and the answer says how each one ended. Who asked, and why, is
// on disk before the first change or together with it.
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import type { Clock } from './clock.ts';
import type { Envelope, Verdict } from './dispatch/envelope.ts';
import type { Dispatch } from './dispatch.ts';
import { assertVersion, PaylatchError } from './errors.ts';
import { orderView } from './orderView.ts';
import type { OrderView } from './ports.ts';
import { askerHash, retryNote } from './retry/note.ts';
import { doneMeanwhile, endOf, failed, type RetryEnd, type RetryPart, verdictOf } from './retry/parts.ts';
import { deadlineKey, isAmong, lookAt, noteKeyOf, planRetry, type RetryPlan } from './retry/plan.ts';
import { keptEnvelope } from './unmatched.ts';

/** Keys named in the note of a retry, so that it stays a sentence. */
const KEYS_NOTED = 10;

export type RetryDeps = { db: Database; clock: Clock; dispatch: Dispatch; log: Logger };

export type RetryRequest = {
  reason: string;
  /** Who asks: a name, or the role of the key. */
  by: string;
  /** The same key is the same retry, for ever. */
  eventKey: string;
  ifMatch?: number;
};

/**
 * `verdict` is the weightiest among the parts; `duplicate` when somebody else, or an earlier call with this key, had
 * done it already.
 */
export type RetryView = { verdict: Verdict; order: OrderView; did: RetryEnd[] };
/** What a retry would run, and if nothing, why; nothing is written. */
export type RetryPlanView = { order: OrderView; would: RetryPart[]; refused: string | null };

/** @throws NotFound; PaylatchError version_conflict */
export async function previewRetry(deps: RetryDeps, id: string, request: RetryRequest): Promise<RetryPlanView> {
  const { order, row, parts, refused } = await planRetry(deps, id, request);
  assertVersion(row, request.ifMatch);
  return { order, would: parts, refused };
}

/**
 * Runs what there is to run and says what came of each part.
 * @throws NotFound; PaylatchError nothing_to_retry (with the order and its legal events), version_conflict,
 *   idempotency_key_reused; the first part's error when every part failed with one
 */
export async function retryOrder(deps: RetryDeps, id: string, request: RetryRequest): Promise<RetryView> {
  const plan = await planRetry(deps, id, request);
  const { order, row, parts, traces } = plan;
  if (traces.made !== null) return repeated(deps, id, request);
  if (traces.noted !== null && traces.noted !== askerHash(request)) {
    const sentence = `the key ${request.eventKey} was used for another retry of this order`;
    throw new PaylatchError('idempotency_key_reused', sentence);
  }
  assertVersion(row, request.ifMatch);
  if (parts.length === 0) {
    if (traces.noted !== null) return { verdict: 'duplicate', order, did: [] };
    throw nothingToRetry(plan);
  }
  return run(deps, plan, request);
}

function nothingToRetry({ order, refused }: RetryPlan): PaylatchError {
  return new PaylatchError('nothing_to_retry', refused ?? '', { legalEvents: order.legalEvents, order });
}

/** The key has made its transition before. Dispatch checks whether it meant the same retry then. */
async function repeated(deps: RetryDeps, id: string, request: RetryRequest): Promise<RetryView> {
  const { verdict } = await deps.dispatch(requestEnvelope(id, request));
  const { row } = await lookAt(deps.db, id);
  return { verdict, order: orderView(row, deps.clock()), did: [] };
}

async function run(deps: RetryDeps, plan: RetryPlan, request: RetryRequest): Promise<RetryView> {
  const { row, parts, kept, deadline } = plan;
  const own = parts.filter(({ what }) => what === 'event' || what === 'deadline');
  const asked = parts.filter(part => !own.includes(part));
  if (own.length > 0) await deps.dispatch(note(plan, request, own));
  const errors: unknown[] = [];
  const send = sender(deps, request.ifMatch, errors);
  const did: RetryEnd[] = [];
  for (const part of own) {
    const row = part.what === 'event' ? kept.find(({ eventKey }) => eventKey === part.key) : undefined;
    const envelope = row ? keptEnvelope(row, { ours: true }) : deadline && deadlineEnvelope(plan, part);
    if (envelope) did.push(await send(part, envelope));
  }
  const answered = await ask(deps, row.id, request, asked, send);
  did.push(...answered.ends);
  // Somebody else was faster with every part. Who asked here, and why, is noted all the same.
  if (own.length === 0 && !answered.sent)
    await deps.dispatch(note(plan, request, asked, 'done by somebody else meanwhile'));
  if (did.every(({ error }) => error !== null)) throw errors[0];
  const { row: after } = await lookAt(deps.db, row.id);
  return { verdict: verdictOf(did) ?? 'duplicate', order: orderView(after, deps.clock()), did };
}

type Send = (part: RetryPart, envelope: Envelope) => Promise<RetryEnd>;

/**
 * Sends one part after the other; an error of one is noted and does not stop the rest. Only the first event is bound to
 * `ifMatch`, because it moves the order itself.
 */
function sender({ dispatch, log }: RetryDeps, ifMatch: number | undefined, errors: unknown[]): Send {
  let bound = ifMatch;
  return async (part, envelope) => {
    const version = bound;
    bound = undefined;
    try {
      return endOf(part, await dispatch({ ...envelope, ...(version !== undefined && { ifMatch: version }) }));
    } catch (error) {
      if (version !== undefined && error instanceof PaylatchError && error.code === 'version_conflict') throw error;
      errors.push(error);
      log.warn({ err: error, orderId: envelope.orderId, ...part }, 'a part of a retry failed; the others go on');
      return failed(part, error);
    }
  };
}

/**
 * Sends the order one `retry.requested` for all of `wanted`. A part that was in the plan and is no longer to be done was done by
 * somebody else, or by the events that were sent before.
 */
async function ask(
  { db }: RetryDeps,
  id: string,
  request: RetryRequest,
  wanted: RetryPart[],
  send: Send,
): Promise<{ ends: RetryEnd[]; sent: boolean }> {
  if (wanted.length === 0) return { ends: [], sent: false };
  const { asked } = await lookAt(db, id);
  const ends = wanted.filter(part => !isAmong(asked, part)).map(doneMeanwhile);
  const left = wanted.filter(part => isAmong(asked, part));
  const [first] = left;
  if (!first) return { ends, sent: false };
  const told = await send(first, requestEnvelope(id, request));
  const { verdict, detail, error } = told;
  const after = error ? asked : (await lookAt(db, id)).asked;
  for (const part of left) {
    // Still to be done: a grant that failed again also answers `applied`, with the database's reason.
    if (isAmong(after, part)) ends.push({ ...part, done: false, verdict, detail, error });
    else ends.push(verdict === 'applied' ? endOf(part, { verdict, detail }) : doneMeanwhile(part));
  }
  return { ends, sent: true };
}

function requestEnvelope(id: string, { eventKey, reason, by }: RetryRequest): Envelope {
  return { ...from(id), eventKey, event: { type: 'retry.requested', reason, by } };
}

function deadlineEnvelope({ row, deadline }: RetryPlan, part: RetryPart): Envelope | null {
  if (!deadline || part.key !== deadlineKey(deadline)) return null;
  const event: UnstampedOrderEvent = {
    type: 'deadline.passed',
    deadline: deadline.id,
    setAtVersion: deadline.setAtVersion,
  };
  return { ...from(row.id), eventKey: deadlineKey(deadline), event };
}

const from = (orderId: string) => ({
  source: 'operator' as const,
  orderId,
  provider: null,
  providerOrderId: null,
  received: null,
});

function note(
  { row }: RetryPlan,
  request: RetryRequest,
  own: readonly RetryPart[],
  became = 'decided again',
): Envelope {
  const named = own.slice(0, KEYS_NOTED).map(({ what, key }) => (key === null ? what : `${what} ${key}`));
  const more = own.length > named.length ? ` and ${own.length - named.length} more` : '';
  const what = `${became}: ${named.join(', ')}${more}`;
  const eventKey = noteKeyOf(row.id, request.eventKey);
  return retryNote({ orderId: row.id, provider: row.provider, eventKey, what }, request);
}
