// Deny-time re-check: a webhook that never came must not lock a customer out who has paid. Before access is refused to
// somebody who may have paid, the provider is asked once; what it answers goes through dispatch like every other fact.
// Nobody waits for a slow provider: past a named time the answer is the plain denial, and the question ends by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/client.ts';
import { knownAsCaptured, type OpenQuestion, readOpenQuestions } from '../db/recheck.ts';
import type { Access } from '../machines/access.ts';
import type { Clock } from './clock.ts';
import type { Dispatch } from './dispatch.ts';
import type { PaymentProvider, ProviderPayment } from './providers/provider.ts';
import { learned } from './reconcile/learned.ts';

const HOUR_MS = 3_600_000;
/** How long after access has ended a renewal is looked for: providers retry a charge for up to a week. */
const LAPSED_MS = 7 * 24 * HOUR_MS;
/** An order opened this recently is why somebody without access asks: a purchase, seen before its webhook. */
const JUST_OPENED_MS = 24 * HOUR_MS;
/** How long a caller waits for the provider, in ms: a person is looking at a page that is loading. */
const WAIT_MS = 1_500;
/** How long an answer holds, in ms: a refused client asks again and again, and each time is a call to the provider. */
const ANSWER_HOLDS_MS = 60_000;
/** Users and products whose answer is remembered; the oldest is forgotten first. Some 2 MB. */
const ANSWERS_KEPT = 10_000;
/** Users asked about at the same time; the others are refused as they are. The narrowest provider allows five calls at once. */
const LOOKUPS_AT_ONCE = 4;
/** What is asked about one user, the newest first: who has more is not helped by a page that loads for ever. */
const MAX_ORDERS = 3;
const MAX_SUBSCRIPTIONS = 2;

export type RecheckDeps = {
  db: Database;
  dispatch: Dispatch;
  providers: ReadonlyMap<string, PaymentProvider>;
  clock: Clock;
  log: Logger;
  /** In ms; tests whose machine may be slow wait longer. */
  recheckWaitMs?: number;
};

/**
 * To be called before access is refused. True when the provider was asked lately and access must be read again. It
 * never throws and never takes longer than its time-out.
 */
export type Recheck = (user: { userId: string; product: string }, denied: Access) => Promise<boolean>;

type Lookup = { about: string; endedAt: number | null; asking: Promise<void> };

export function createRecheck(deps: RecheckDeps): Recheck {
  const { clock, log, recheckWaitMs = WAIT_MS } = deps;
  const lookups = new Map<string, Lookup>();
  let running = 0;

  /** The look-up under way for these questions, a new one, or null: answered a moment ago, or too many at once. */
  function lookUp(name: string, questions: OpenQuestion[]): Promise<void> | null {
    const about = questions.map(idOf).join(' ');
    const known = lookups.get(name);
    if (known && known.endedAt === null) return known.asking;
    const stillHolds = known?.endedAt != null && clock().getTime() - known.endedAt < ANSWER_HOLDS_MS;
    // A new order is a new question, however recently the old one was answered.
    if ((stillHolds && known.about === about) || running >= LOOKUPS_AT_ONCE) return null;
    running += 1;
    const lookup: Lookup = { about, endedAt: null, asking: Promise.resolve() };
    lookup.asking = askAll(deps, questions).finally(() => {
      running -= 1;
      lookup.endedAt = clock().getTime();
    });
    lookups.delete(name);
    lookups.set(name, lookup);
    if (lookups.size > ANSWERS_KEPT) lookups.delete(lookups.keys().next().value as string);
    return lookup.asking;
  }

  async function recheck(user: { userId: string; product: string }, denied: Access): Promise<boolean> {
    const name = `${user.userId} ${user.product}`;
    const questions = await questionsAbout(deps, user, denied);
    if (questions.length > 0) await lookUp(name, questions);
    // Also when somebody else's look-up has just ended: what it found may have come after this caller's reading.
    return lookups.has(name);
  }

  return async (user, denied) => {
    const late = new AbortController();
    const inTime = recheck(user, denied).catch((error: unknown) => {
      log.warn({ err: error, ...user }, 'access could not be checked again');
      return false;
    });
    const tooLate = sleep(recheckWaitMs, false, { signal: late.signal }).catch(() => false);
    return await Promise.race([inTime, tooLate]).finally(() => late.abort());
  };
}

/** Nothing for strangers, for whoever left long ago, and for whom no provider can know more than we do. */
async function questionsAbout(
  { db, clock, providers }: RecheckDeps,
  { userId, product }: { userId: string; product: string },
  denied: Access,
): Promise<OpenQuestion[]> {
  const now = clock().getTime();
  const since = new Date(now - LAPSED_MS);
  const asked = { userId, product, since, orders: MAX_ORDERS, subscriptions: MAX_SUBSCRIPTIONS };
  const questions = await readOpenQuestions(db, asked);
  const hasJustLapsed = denied.graceUntil !== null && now - denied.graceUntil.getTime() < LAPSED_MS;
  const hasJustOpened = questions.some(
    question => question.about === 'order' && now - question.openedAt.getTime() < JUST_OPENED_MS,
  );
  if (!hasJustLapsed && !hasJustOpened) return [];
  return questions.filter(question => {
    const provider = providers.get(question.provider);
    return provider !== undefined && (question.about === 'order' || provider.findRenewals !== undefined);
  });
}

/** All at the same time, so that one silent provider does not use up the time of another. */
async function askAll(deps: RecheckDeps, questions: OpenQuestion[]): Promise<void> {
  await Promise.all(
    questions.map(question =>
      ask(deps, question).catch((error: unknown) => {
        deps.log.info({ err: error, ...question }, 'the provider did not say whether it was paid');
      }),
    ),
  );
}

async function ask({ db, dispatch, providers }: RecheckDeps, question: OpenQuestion): Promise<void> {
  const provider = providers.get(question.provider);
  if (!provider) return;
  const isOrder = question.about === 'order';
  const found = isOrder
    ? await provider.findPayments(question)
    : ((await provider.findRenewals?.(question.subscriptionId)) ?? []);
  const paid = found.filter(({ state }) => state === 'captured' || state === 'authorized');
  if (paid.length === 0) return;
  const heard = await knownAsCaptured(
    db,
    question.provider,
    paid.map(({ paymentId }) => paymentId),
  );
  for (const payment of paid.filter(({ paymentId }) => !heard.has(paymentId))) {
    for (const envelope of learnedBy(question, payment)) await dispatch(envelope);
  }
}

function learnedBy(question: OpenQuestion, payment: ProviderPayment) {
  if (question.about === 'order') return learned(question.provider, payment, question);
  return learned(question.provider, { ...payment, subscriptionId: question.subscriptionId });
}

const idOf = (question: OpenQuestion) =>
  question.about === 'order' ? question.orderId : `${question.provider}:${question.subscriptionId}`;
