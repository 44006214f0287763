// Effects, deadlines and how far they have come, in words for a person who does not know the machine.
import type { EffectRow } from '../../../db/inspect/orderPageRows.ts';
import { formatAmount } from '../../pages/formatAmount.ts';

/** What is needed of the order to name what is done for it. */
export type Named = { provider: string | null; currency: string };

/** What the effect does, as the subject of a sentence: `the capture of pay_1`. */
export function effectWords({ effect, payload }: Pick<EffectRow, 'effect' | 'payload'>, order: Named): string {
  const payment = typeof payload.paymentId === 'string' ? payload.paymentId : null;
  const provider = order.provider ?? 'the provider';
  switch (effect) {
    case 'capture':
      return `the capture of ${payment ?? 'the reservation'}`;
    case 'void':
      return `letting go of the reservation ${payment ?? ''}`.trimEnd();
    case 'refund':
      return `the refund of ${amountOf(payload, order)}${payment ? ` from ${payment}` : ''}`;
    case 'close':
      return `closing it at ${provider}`;
    case 'open':
      return payment ? `opening an order of its own for ${payment}` : `opening it at ${provider}`;
    case 'reconcile':
      return `the question to ${provider} about ${payment ?? 'this order'}`;
    case 'notify':
      return `telling the merchant ${typeof payload.type === 'string' ? payload.type : 'what happened'}`;
    case 'alert':
      return `the alert about ${causeWords(payload.cause)}`;
    default:
      return `the effect ${effect}`;
  }
}

function amountOf(payload: Record<string, unknown>, { currency }: Named): string {
  const own = typeof payload.currency === 'string' ? payload.currency : currency;
  return typeof payload.amountMinor === 'number' ? formatAmount(payload.amountMinor, own) : 'money';
}

const causeWords = (cause: unknown) => (typeof cause === 'string' ? cause.replaceAll('_', ' ') : 'this order');

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];
const ordinal = (n: number): string => ORDINALS[n - 1] ?? `${n}th`;

/** Somebody holds the lease now. */
export const isRunning = ({ leasedUntil }: Pick<EffectRow, 'leasedUntil'>, now: Date): boolean =>
  leasedUntil !== null && leasedUntil > now.toISOString();

/** How far a pending or dead effect has come, as a sentence; null where it was never tried. */
export function progressWords(
  { status, attempts, lastError, leasedUntil }: Pick<EffectRow, 'status' | 'attempts' | 'lastError' | 'leasedUntil'>,
  now: Date,
): string | null {
  const error = lastError ?? 'no error was noted';
  if (status === 'dead') return `Given up after ${attempts === 1 ? 'one try' : `${attempts} tries`}: ${error}`;
  const running = isRunning({ leasedUntil }, now);
  if (running) {
    const before = lastError === null ? '' : ` The one before ended with: ${lastError}`;
    return `Its ${ordinal(Math.max(1, attempts))} try runs now.${before}`;
  }
  if (attempts === 0) return null;
  return `Its ${ordinal(attempts)} try ended with: ${error}`;
}

const DEADLINES: Readonly<Record<string, string>> = {
  paymentWindow: 'it is closed unpaid',
  captureWindow: 'the provider is asked about the reservation',
  grantOverdue: 'the grant is tried again',
};

/** What happens when this deadline passes. */
export const deadlineWords = (id: string): string => DEADLINES[id] ?? `the deadline ${id} passes`;
