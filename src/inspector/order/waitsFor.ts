// What an order waits for, in one sentence: the first thing somebody with a customer on the phone needs to know. Pure: the
// same order at the same instant always reads the same.
import type { OrderPageRow } from '../../../db/inspect/orderPage.ts';
import type { EffectRow } from '../../../db/inspect/orderPageRows.ts';
import type { LiveOrder } from '../../../machines/snapshot.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import type { Stuck } from '../../ports.ts';
import { deadlineWords, effectWords, progressWords } from './effectWords.ts';

/** Words, and instants among them that are shown in the reader's own time. */
export type Words = readonly (string | { at: string })[];

export type Waiting = {
  tone: 'good' | 'busy' | 'held' | 'bad' | 'quiet';
  sentence: Words;
  /** What is known about it: the last error, what a person can do. */
  detail: string | null;
  /** ISO 8601. */
  since: string;
  /** What happens by itself, and when. */
  next: { what: string; at: string } | null;
};

export type WaitingOrder = Pick<OrderPageRow, 'order' | 'openEffects' | 'grants'> & {
  live: LiveOrder | null;
  stuck: Stuck | null;
  now: Date;
};

/** Effects that change something at the provider or ask it: while one is pending the order is not at rest. */
const AT_PROVIDER = ['open', 'close', 'capture', 'void', 'refund'];

export function waitsFor(about: WaitingOrder): Waiting {
  const { order, stuck } = about;
  if (stuck) return stuckWaiting(about, stuck);
  const since = order.stateSince.toISOString();
  const pending = oldestPending(about, AT_PROVIDER);
  if (pending) return { ...effectWaiting(about, pending), since };
  const told = oldestPending(about, ['notify']);
  const resting = restingWaiting(about);
  if (!told || told.attempts === 0 || resting.next) return { ...resting, since };
  // At rest for us, while the merchant may still believe something else.
  return {
    ...resting,
    since,
    tone: 'busy',
    detail:
      `The merchant does not know yet: ${effectWords(told, order)}. ${progressWords(told, about.now) ?? ''}`.trim(),
    next: { what: 'next try', at: told.availableAt },
  };
}

/** Effects of one order run in order: the first that is not over holds the others back. */
function oldestPending({ openEffects }: WaitingOrder, among: readonly string[]): EffectRow | undefined {
  return openEffects.findLast(({ status, effect }) => status === 'pending' && among.includes(effect));
}

function stuckWaiting(about: WaitingOrder, stuck: Stuck): Waiting {
  const { order, live, openEffects, now } = about;
  const next = deadlineOf(about);
  const own = { tone: 'bad', since: stuck.since, next } as const;
  switch (stuck.cause) {
    case 'snapshot_unreadable':
      return live
        ? {
            ...own,
            sentence: ['Stuck: events came while the order could not be read, and wait to be decided again.'],
            detail: 'A retry decides them.',
          }
        : { ...own, sentence: ['Stuck: the order cannot be read, so nothing is decided on it.'], detail: stuck.detail };
    case 'parked':
      return {
        ...own,
        sentence: ['Stuck: a person must decide about this order.'],
        detail: stuck.detail ?? unanswered(about),
      };
    case 'grant_failed': {
      const tries = live?.state.context.grantTries ?? 0;
      const refusal = stuck.detail ? [`The database said: ${clause(stuck.detail)}.`] : [];
      const again = tries === 0 ? [] : [`Tried again ${tries === 1 ? 'once' : `${tries} times`} so far.`];
      return {
        ...own,
        sentence: ['Stuck: it is paid, and the grant cannot be written.'],
        detail: [...refusal, ...again].join(' ') || null,
      };
    }
    case 'effect_dead': {
      const dead = openEffects.find(({ status }) => status === 'dead');
      return {
        ...own,
        sentence: [dead ? `Stuck: ${effectWords(dead, order)} was given up.` : 'Stuck: something was given up.'],
        detail: dead ? progressWords(dead, now) : stuck.detail,
      };
    }
    case 'deadline_passed':
      return {
        ...own,
        sentence: [`Overdue: the deadline of ${order.state} has passed, and nobody has heard it.`],
        detail: live?.deadline ? `When it is heard, ${deadlineWords(live.deadline.id)}.` : null,
        next: null,
      };
  }
}

function unanswered({ live }: WaitingOrder): string | null {
  const context = live?.state.context;
  if (!context?.authorizedBy) return null;
  return `Payment ${context.authorizedBy} is reserved, and after ${context.asked} questions the provider has not settled it.`;
}

function effectWaiting(about: WaitingOrder, effect: EffectRow): Omit<Waiting, 'since'> {
  const { order, now } = about;
  const words = effectWords(effect, order);
  const progress = progressWords(effect, now);
  return {
    tone: progress === null || effect.attempts <= 1 ? 'busy' : 'held',
    sentence: [`Waits for ${words}.`],
    detail: progress ?? 'It was not tried yet.',
    next: { what: effect.attempts === 0 ? 'first try' : 'next try', at: effect.availableAt },
  };
}

function restingWaiting(about: WaitingOrder): Omit<Waiting, 'since'> {
  const { order, live } = about;
  const next = deadlineOf(about);
  const quiet = { detail: null, next };
  switch (order.state) {
    case 'created': {
      const price = formatAmount(order.amountMinor, order.currency);
      return order.providerOrderId === null && order.provider !== null
        ? {
            ...quiet,
            tone: 'busy',
            sentence: [`Waits to be opened at ${order.provider}.`],
            detail: 'The same checkout sent again opens it.',
          }
        : {
            ...quiet,
            tone: 'busy',
            sentence: [`Waits for the customer to pay ${price}${order.provider ? ` at ${order.provider}` : ''}.`],
          };
    }
    case 'authorized':
      return {
        ...quiet,
        tone: 'busy',
        sentence: [
          `Waits for ${order.provider ?? 'the provider'} to say that ${live?.state.context.authorizedBy ?? 'the reservation'} was captured.`,
        ],
      };
    case 'subscribed':
      return { ...quiet, tone: 'good', sentence: subscribedWords(about) };
    case 'failed':
      return {
        ...quiet,
        tone: 'quiet',
        sentence: ['Nothing to wait for: it was not paid.'],
        detail: 'Money that still comes would count.',
      };
    case 'refunded':
      return {
        ...quiet,
        tone: 'quiet',
        sentence: ['Nothing to wait for: the money went back, and the access it gave with it.'],
      };
    default:
      return { ...quiet, tone: 'held', sentence: [`It is ${order.state}.`] };
  }
}

function subscribedWords({ order, grants, now }: WaitingOrder): Words {
  const grant = grants.find(({ orderId }) => orderId === order.id);
  if (!grant) return ['Nothing to wait for: subscribed.'];
  const words = grant.endsAt > now.toISOString() ? 'subscribed until ' : 'what was bought ended on ';
  return [`Nothing to wait for: ${words}`, { at: grant.endsAt }, '.'];
}

function deadlineOf({ live, order }: WaitingOrder): Waiting['next'] {
  if (live?.deadline) return { what: deadlineWords(live.deadline.id), at: live.deadline.dueAt };
  return order.wakeAt ? { what: 'its deadline passes', at: order.wakeAt.toISOString() } : null;
}

/** Somebody else's sentence inside ours. */
const clause = (sentence: string): string => sentence.replace(/\.$/, '');
