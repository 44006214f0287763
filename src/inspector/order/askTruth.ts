// Asking a provider what it knows of one order: within a short time, not too often, and without telling anybody here. What
// it answers is shown and forgotten; the books change through events only.
import type { OrderPageRow } from '../../../db/inspect/orderPage.ts';
import type { Clock } from '../../clock.ts';
import { PaylatchError } from '../../errors.ts';
import type { PaymentProvider, ProviderPayment } from '../../providers/provider.ts';

/** How long a person waits for a provider's answer, in ms: longer than providers take, shorter than a request may. */
const ANSWER_WITHIN_MS = 5_000;
/** Questions a process asks for people in one minute: well below what providers allow, so that live traffic never pays for it. */
const MAX_ASKS = 20;
const ASKS_WITHIN_MS = 60_000;
/** Payments asked for one by one that the provider's own list left out. */
const MAX_SINGLE_PAYMENTS = 5;

export type Told = {
  payments: ProviderPayment[];
  /** What could not be asked or was refused, in sentences. */
  missing: string[];
};

/** Lets a number of questions through in any minute of this process. */
export function askLimit(clock: Clock): { take(): boolean } {
  let asked: number[] = [];
  return {
    take() {
      const now = clock().getTime();
      asked = asked.filter(at => at > now - ASKS_WITHIN_MS && at <= now);
      if (asked.length >= MAX_ASKS) return false;
      asked.push(now);
      return true;
    },
  };
}

/** @throws PaylatchError provider_unreachable */
export async function askTruth(provider: PaymentProvider, { order, payments }: OrderPageRow): Promise<Told> {
  return within(ANSWER_WITHIN_MS, async () => {
    const listed = await unlessRefused(listOf(provider, order), 'its list of payments');
    const found = typeof listed === 'string' ? [] : listed;
    const isFound = (id: string) => found.some(({ paymentId }) => paymentId === id);
    const left = payments.map(({ paymentId }) => paymentId).filter(id => !isFound(id));
    const asked = left.slice(0, MAX_SINGLE_PAYMENTS);
    const single = await Promise.all(asked.map(id => unlessRefused(provider.fetchPayment(id), `payment ${id}`)));
    const notAsked = left.length - asked.length;
    return {
      payments: [...found, ...single.filter(answer => typeof answer !== 'string')],
      missing: [
        ...[listed, ...single].filter(answer => typeof answer === 'string'),
        ...(order.providerOrderId === null ? [`The order was never opened at ${provider.name}.`] : []),
        ...(notAsked > 0 ? [`${notAsked} more payments were not asked for.`] : []),
      ],
    };
  });
}

async function listOf(
  provider: PaymentProvider,
  { id, providerOrderId }: OrderPageRow['order'],
): Promise<ProviderPayment[]> {
  return providerOrderId === null ? [] : provider.findPayments({ orderId: id, providerOrderId });
}

/** A no to one question is an answer, too: the sentence that says so. */
async function unlessRefused<T>(asked: Promise<T>, what: string): Promise<T | string> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PaylatchError && error.code === 'provider_refused')
      return `Asked for ${what}, it said: ${error.message}`;
    throw error;
  }
}

/** The question goes on behind our back when its time is over; it only reads. */
function within<T>(ms: number, ask: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = () => reject(new PaylatchError('provider_unreachable', `no answer within ${ms / 1_000} s`));
    const timer = setTimeout(late, ms);
    ask()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
