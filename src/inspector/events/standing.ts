// Where an event stands, in words: what it says, what became of it and why, and what comes next by itself.
import type { ArrivedEventRow } from '../../../db/inspect/event.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import { whatBecame } from '../order/verdictWords.ts';
import type { EventModel, EventNames } from './eventModel.ts';

export type Standing = {
  tone: 'good' | 'busy' | 'held' | 'bad' | 'quiet';
  sentence: string;
  detail: string;
  /** What happens by itself; `at` where the time is known. */
  next: { what: string; at: Date | null } | null;
};

const TONES: Readonly<Record<string, Standing['tone']>> = {
  applied: 'good',
  surplus: 'held',
  unmatched: 'held',
  mismatch: 'bad',
  parked: 'bad',
  illegal: 'bad',
};

export function standingOf({ event, names }: Pick<EventModel, 'event' | 'names'>): Standing {
  const tone = TONES[event.verdict] ?? 'quiet';
  const { sentence, detail } = wordsOf(event, names);
  return { tone, sentence, detail, next: nextOf(event) };
}

function wordsOf(event: ArrivedEventRow, names: EventNames): Pick<Standing, 'sentence' | 'detail'> {
  const { verdict, provider, detail } = event;
  const because = detail ? sentenceOf(detail) : '';
  switch (verdict) {
    case 'unmatched':
      return { sentence: `${said(event, names)}, and no order here is known for it.`, detail: because };
    case 'foreign':
      return {
        sentence: `${said(event, names)}, and nothing in it says that it is ours.`,
        detail:
          `${because} The account at ${provider} may sell other things, too; then nothing needs to be done.`.trim(),
      };
    case 'parked':
      return event.event === null
        ? { sentence: 'Its signature held, but its body could not be understood.', detail: because }
        : { sentence: `${said(event, names)}, but its order cannot be read.`, detail: because };
    case 'ignored':
      return event.source === 'operator'
        ? { sentence: 'A note of what somebody asked for, and why.', detail: because }
        : { sentence: 'Nothing here uses an event of this type. It is kept for the record.', detail: because };
    default:
      return { sentence: whatBecame(event, null), detail: '' };
  }
}

/** `₹499.00 was captured as pay_1`. What it says in its own words, because the type alone tells no sum. */
function said({ event, type, provider }: ArrivedEventRow, names: EventNames): string {
  const { amountMinor, currency, paymentId } = names;
  const verb = VERBS[String(event?.type)];
  if (!verb) return `${provider} told of ${type}`;
  const sum = amountMinor !== null && currency !== null ? formatAmount(amountMinor, currency) : 'A payment';
  return `${sum} ${verb}${paymentId === null ? '' : ` as ${paymentId}`} at ${provider}`;
}
const VERBS: Readonly<Record<string, string>> = {
  'payment.captured': 'was captured',
  'payment.authorized': 'was reserved',
  'payment.failed': 'failed',
  'payment.canceled': 'was called off',
};

const sentenceOf = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`;

function nextOf({ verdict, nextAttemptAt, event }: ArrivedEventRow): Standing['next'] {
  if (nextAttemptAt) return { what: 'decided again', at: nextAttemptAt };
  if (verdict === 'unmatched' || verdict === 'foreign')
    return {
      what: 'Not tried again by itself. It is decided as soon as an order is known by a name that it carries.',
      at: null,
    };
  if (verdict === 'parked' && event !== null)
    return { what: 'Decided again by itself when a version runs that can read its order.', at: null };
  return null;
}
