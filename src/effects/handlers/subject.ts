// What an effect is about: its order as it stands now, read freshly for every try, and the provider to be talked to. What
// nobody knows (no answer, no database, too much to do) ends as `again`; what was refused is each handler's own to judge.
import type { Logger } from 'pino';
import type { Database } from '../../../db/client.ts';
import { type EffectOrder, readEffectOrder } from '../../../db/effectOrder.ts';
import type { OrderContext } from '../../../machines/orderContext.ts';
import type { OrderStateName } from '../../../machines/orderStates.ts';
import { readOrder, SnapshotUnreadable, stateName } from '../../../machines/snapshot.ts';
import type { Clock } from '../../clock.ts';
import type { Dispatch } from '../../dispatch.ts';
import { DatabaseUnavailable, Overloaded, ProviderUnreachable } from '../../errors.ts';
import type { PaymentProvider } from '../../providers/provider.ts';
import type { EffectEnd, EffectHandler, LeasedEffect } from '../effect.ts';
import type { ProviderShares } from './providerShares.ts';

export type HandlerDeps = {
  db: Database;
  providers: ReadonlyMap<string, PaymentProvider>;
  /** The core's: renewals find their order, and what came before its payment is decided after it. */
  dispatch: Dispatch;
  clock: Clock;
  log: Logger;
  /** Of the lanes; without it each provider may have all of them. */
  shares?: ProviderShares;
};

export type Subject = {
  effect: LeasedEffect;
  order: EffectOrder;
  context: OrderContext;
  state: OrderStateName;
  provider: PaymentProvider;
};

export const done = (note?: string): EffectEnd => (note === undefined ? { end: 'done' } : { end: 'done', note });
export const again = (error: string, at?: Date): EffectEnd =>
  at === undefined ? { end: 'again', error } : { end: 'again', error, at };
export const dead = (error: string): EffectEnd => ({ end: 'dead', error });

/** A handler of effects about an order at a provider; `work` starts with nothing held in the database. */
export function aboutOrder(deps: HandlerDeps, work: (subject: Subject) => Promise<EffectEnd>): EffectHandler {
  return async effect => {
    try {
      const subject = await subjectOf(deps, effect);
      return 'end' in subject ? subject : await withinShare(deps, subject, work);
    } catch (error) {
      if (nobodyKnows(error)) return again(error.message);
      throw error;
    }
  };
}

/** A provider that has all it may have keeps what exceeds it waiting, at no cost, and nobody else. */
async function withinShare(
  { shares }: HandlerDeps,
  subject: Subject,
  work: (subject: Subject) => Promise<EffectEnd>,
): Promise<EffectEnd> {
  const { effect, provider } = subject;
  const place = await shares?.(effect.effect, provider.name);
  if (place && 'notBefore' in place) {
    const error = `waits its turn: enough is under way at ${provider.name}`;
    return { end: 'again', error, at: place.notBefore, untried: true };
  }
  try {
    return await work(subject);
  } finally {
    place?.release();
  }
}

/** No answer, which is not a no. */
export const nobodyKnows = (error: unknown): error is Error =>
  error instanceof ProviderUnreachable || error instanceof Overloaded || error instanceof DatabaseUnavailable;

/** The subject, or how the effect ends without one: what is missing may come back with a setting or a deployment. */
export async function subjectOf({ db, providers }: HandlerDeps, effect: LeasedEffect): Promise<Subject | EffectEnd> {
  const order = effect.orderId === null ? null : await readEffectOrder(db, effect.orderId, effect.orderVersion);
  if (!order) return dead(`there is no order ${effect.orderId}`);
  const provider = providers.get(order.provider ?? '');
  if (!provider) return again(`the provider ${order.provider} is not configured here`);
  try {
    const live = readOrder(order);
    return { effect, order, context: live.state.context, state: stateName(live), provider };
  } catch (error) {
    if (error instanceof SnapshotUnreadable) return again(`the order cannot be read: ${error.message}`);
    throw error;
  }
}
