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

/** @throws PaylatchError provider_refused, provider_unreachable */
export async function askTruth(provider: PaymentProvider, { order, payments }: OrderPageRow): Promise<Told> {
  return within(ANSWER_WITHIN_MS, async () => {
    const { id, providerOrderId } = order;
    const found = providerOrderId === null ? [] : await provider.findPayments({ orderId: id, providerOrderId });
    const left = payments
      .map(({ paymentId }) => paymentId)
      .filter(paymentId => !found.some(p => p.paymentId === paymentId));
    const asked = left.slice(0, MAX_SINGLE_PAYMENTS);
    const single = await Promise.all(asked.map(paymentId => one(provider, paymentId)));
    return {
      payments: [...found, ...single.flatMap(answer => (typeof answer === 'string' ? [] : [answer]))],
      missing: [
        ...(providerOrderId === null
          ? [`The order was never opened at ${provider.name}, so it has no payments to list there.`]
          : []),
        ...single.filter(answer => typeof answer === 'string'),
        ...(left.length > asked.length ? [`${left.length - asked.length} more payments were not asked for.`] : []),
      ],
    };
  });
}

/** The payment, or the sentence that says why there is none. */
async function one(provider: PaymentProvider, paymentId: string): Promise<ProviderPayment | string> {
  try {
    return await provider.fetchPayment(paymentId);
  } catch (error) {
    if (error instanceof PaylatchError && error.code === 'provider_refused') return `${paymentId}: ${error.message}`;
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
