// CloudPayments' own subscriptions, as far as the service has to do with them: stopped, and asked what they charged last.
// A stopped one charges nothing any more; how long access lasts is counted here and not there.
import { z } from 'zod';
import { ProviderRefused } from '../../errors.ts';
import type { PaymentProvider } from '../provider.ts';
import { type Api, refusal, unreadable } from './api.ts';
import { instantOf, textOf, theirId } from './fields.ts';
import { dayOf, type Payments, withRefunds } from './payments.ts';

/** States in which nothing is charged any more; three failed charges in a row reject a subscription for good. */
const ENDED = new Set(['Cancelled', 'Rejected', 'Expired']);

const text = z.unknown().transform(value => textOf(value));
const subscriptionSchema = z.object({ Status: text, LastTransactionDateIso: text });

type Subscriptions = Required<Pick<PaymentProvider, 'cancelSubscription' | 'findRenewals'>>;

export function subscriptionsOf(api: Api, payments: Payments): Subscriptions {
  async function read(id: string) {
    const answer = await api.call('/subscriptions/get', { Id: id });
    if (answer.model === null) throw answer.success ? unreadable('a subscription') : refusal(answer);
    const subscription = subscriptionSchema.safeParse(answer.model);
    if (!subscription.success) throw unreadable('a subscription');
    return subscription.data;
  }

  return {
    async cancelSubscription({ subscriptionId, key }) {
      const id = knownId(subscriptionId);
      const answer = await api.call('/subscriptions/cancel', { Id: id }, key);
      if (answer.success) return;
      const { Status } = await read(id);
      if (!ENDED.has(Status ?? '')) throw refusal(answer);
    },

    /** Only when it charged last is told, so the charges of that day are all that can be found. */
    async findRenewals(subscriptionId) {
      const last = instantOf((await read(knownId(subscriptionId))).LastTransactionDateIso);
      if (last === undefined) return [];
      const rows = await payments.listDay(dayOf(new Date(last)));
      const found = await withRefunds(payments, rows);
      return found.filter(payment => payment.subscriptionId === subscriptionId);
    },
  };
}

/** @throws ProviderRefused for what never was an id of theirs */
function knownId(subscriptionId: string): string {
  const id = theirId(subscriptionId);
  if (id === null) throw new ProviderRefused('CloudPayments never gave a subscription this id.');
  return id;
}
