// Trials: an order that costs nothing and needs no provider, one per user and product. It is granted by the same machine
// and the same commit as what is paid, so a purchase during a trial goes on where the trial ends and no day is lost. Where
// a trial and a first payment come in the same instant, the statement that writes the order decides which was first.
import type { Database } from '../db/client.ts';
import { insertOrder } from '../db/insertOrder.ts';
import { readOrderRow } from '../db/orders.ts';
import { listPlans, type PlanRow } from '../db/plans.ts';
import { findPaidOrder, findTrial, type TrialRow } from '../db/trials.ts';
import type { Clock } from './clock.ts';
import type { Dispatch } from './dispatch.ts';
import { InvalidRequest, PaylatchError } from './errors.ts';
import type { NewId } from './ids.ts';
import { newOrder } from './newOrder.ts';
import { orderView } from './orderView.ts';
import type { OrderView } from './ports.ts';

export type TrialDeps = { db: Database; dispatch: Dispatch; clock: Clock; newId: NewId };
export type TrialWish = { userId: string; product: string; planId?: string };
/** `isNew` is false when the trial was running already. */
export type TrialView = { order: OrderView; isNew: boolean };

/**
 * Starts the trial of this user for this product, or answers the one that runs.
 * @throws InvalidRequest when the plan is not known, has no trial, or there is a choice of plans; PaylatchError
 *   illegal_event when the trial is over or something was paid for
 */
export async function startTrial(deps: TrialDeps, wish: TrialWish): Promise<TrialView> {
  const { db, clock, newId } = deps;
  const before = await findTrial(db, wish.userId, wish.product);
  if (before) return runningTrial(deps, before, wish);
  const plan = await trialPlan(db, wish);
  const id = newId('ord');
  const { userId } = wish;
  const terms = {
    id: plan.id,
    product: plan.product,
    amountMinor: 0,
    currency: plan.currency,
    months: 0,
    days: plan.trialDays,
    // Grace bridges a payment that is late; for a trial none is due.
    graceDays: 0,
    surplusPolicy: plan.surplusPolicy,
  };
  const about = {
    kind: 'trial' as const,
    userId,
    plan: terms,
    provider: null,
    account: null,
    live: false,
    amountMinor: 0,
    currency: plan.currency,
  };
  const created = { type: 'order.created' as const, at: clock().toISOString(), ...about };
  const origin = { another: false, returnUrl: null, metadata: null, source: 'checkout', eventKey: `trial:${id}` };
  const isNew = await insertOrder(db, newOrder(id, created, origin));
  if (!isNew) {
    // Somebody was faster: the unique index let one in. Or a payment was.
    const other = await findTrial(db, userId, wish.product);
    if (other) return runningTrial(deps, other, wish);
    const paid = await findPaidOrder(db, userId, wish.product);
    if (paid) throw await refusal(deps, paid, 'has paid for it before');
    throw new Error(`the trial ${id} was not written, and nothing says why`);
  }
  await grantTrial(deps, { orderId: id, version: 1 });
  return { order: await viewOf(deps, id), isNew };
}

/** The only plan of the product that has a trial, or the one that was named. @throws InvalidRequest */
async function trialPlan(db: Database, { product, planId }: TrialWish): Promise<PlanRow> {
  const choice = (await listPlans(db)).filter(plan => plan.product === product && plan.trialDays > 0);
  const names = choice.map(plan => plan.id).join(', ');
  if (choice.length === 0) throw new InvalidRequest(`no plan of ${product} has a trial`);
  if (planId === undefined) {
    if (choice.length === 1 && choice[0]) return choice[0];
    throw new InvalidRequest(`several plans of ${product} have a trial; name one as planId: ${names}`);
  }
  const plan = choice.find(({ id }) => id === planId);
  if (!plan) throw new InvalidRequest(`${planId} is no plan of ${product} with a trial; there is: ${names}`);
  return plan;
}

async function runningTrial(deps: TrialDeps, trial: TrialRow, { userId, product }: TrialWish): Promise<TrialView> {
  // Written, and the service died before it was granted: whoever asks again need not wait for the sweeper.
  if (trial.state === 'captured') await grantTrial(deps, trial);
  const { endsAt, revokedAt } = (await findTrial(deps.db, userId, product)) ?? trial;
  // Without a grant it could not be written yet: it is stuck, shown as such, and no reason for a second one.
  const isOver = endsAt !== null && (revokedAt !== null || endsAt <= deps.clock());
  if (isOver) throw await refusal(deps, trial.orderId, 'had a trial of it, which is over');
  return { order: await viewOf(deps, trial.orderId), isNew: false };
}

/** The key names the version, as the sweeper's does: two that do it at once do it once. */
async function grantTrial(
  { dispatch }: TrialDeps,
  { orderId, version }: Pick<TrialRow, 'orderId' | 'version'>,
): Promise<void> {
  await dispatch({
    source: 'checkout',
    orderId,
    provider: null,
    providerOrderId: null,
    eventKey: `drive:${orderId}:${version}`,
    event: { type: 'retry.requested', reason: 'a trial costs nothing and is granted at once' },
    received: null,
  });
}

async function refusal(deps: TrialDeps, orderId: string, why: string): Promise<PaylatchError> {
  const order = await viewOf(deps, orderId);
  const sentence = `There is one trial per user and product, and this user ${why} (order ${orderId}).`;
  return new PaylatchError('illegal_event', sentence, { legalEvents: order.legalEvents, order });
}

async function viewOf({ db, clock }: TrialDeps, id: string): Promise<OrderView> {
  const row = await readOrderRow(db, id);
  if (!row) throw new Error(`order ${id} was written and is not there`);
  return orderView(row, clock());
}
