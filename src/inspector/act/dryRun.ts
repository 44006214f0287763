// What would happen, and what would be refused, before anything is sent: the same decision as the real thing, nothing
// written. Everything shown belongs to one version of the order, and the button is bound to that one.
import { paymentOwner } from '../../../db/paymentOwner.ts';
import { type Explained, explainEvent, type SendableType } from '../../../machines/explain.ts';
import type { OrderContext } from '../../../machines/orderContext.ts';
import type { OrderEvent, UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import { PaylatchError } from '../../errors.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import type { PreviewView } from '../../ports.ts';
import type { RetryPlanView } from '../../retry.ts';
import type { InspectorDeps } from '../page.ts';
import { changesNothing } from './eventWords.ts';
import { sentenceOf } from './explanation.ts';
import type { Subject } from './subject.ts';

export type DryRun = {
  version: number;
  /** With what dispatch adds to it. */
  event: OrderEvent;
  explained: Explained | null;
  preview: PreviewView | null;
  /** Of a retry: everything it would run, kept events and deadlines too. */
  plan: RetryPlanView | null;
  /** What a refund that is asked for would send back; null for everything else. */
  sendsBack: string | null;
  /** Why the button stays dead; null when it would not be refused. */
  refused: string | null;
};

export type Wish = { type: SendableType; event: UnstampedOrderEvent; reason: string; by: string };

/** @throws PaylatchError version_conflict when the order moved since `subject` was read */
export async function dryRun(deps: InspectorDeps, { row, live }: Subject, wish: Wish): Promise<DryRun> {
  const { core, newId } = deps;
  const event = await stamped(deps, row, wish.event);
  const explained = live && explainEvent(live, event);
  const base = { version: row.version, event, explained, sendsBack: null };
  if (wish.type === 'retry.requested') {
    const { reason, by } = wish;
    const plan = await core.retry.preview(row.id, { reason, by, eventKey: newId('evt'), ifMatch: row.version });
    const isAsked = plan.would.some(({ what }) => what !== 'event' && what !== 'deadline');
    const preview = isAsked && live ? await core.orders.preview(row.id, wish.event, row.version) : null;
    return { ...base, plan, preview, refused: plan.refused };
  }
  if (!live) return { ...base, plan: null, preview: null, refused: 'The order cannot be read.' };
  const preview = await core.orders.preview(row.id, wish.event, row.version);
  const refund = preview.effects.find(({ effect }) => effect === 'refund');
  const sendsBack = wish.type === 'refund.requested' && refund ? amountOf(refund.payload, live.state.context) : null;
  return { ...base, sendsBack, plan: null, preview, refused: refusalOf(preview) };
}

/** A refund is in its payment's own currency, which its payload does not name: it need not be the order's. */
export function currencyOf(payload: Record<string, unknown>, { payments, currency }: OrderContext): string {
  if (typeof payload.currency === 'string') return payload.currency;
  return payments.find(({ paymentId }) => paymentId === payload.paymentId)?.currency ?? currency;
}

export function amountOf(payload: Record<string, unknown>, context: OrderContext): string | null {
  const { amountMinor } = payload;
  return typeof amountMinor === 'number' ? formatAmount(amountMinor, currencyOf(payload, context)) : null;
}

function refusalOf({ verdict, detail }: PreviewView): string | null {
  const because = detail ? ` ${sentenceOf(detail)}` : '';
  if (verdict === 'illegal') return `It would be refused.${because}`;
  return changesNothing(verdict) ? `It would change nothing, it is ${verdict}.${because}` : null;
}

/** As dispatch would: whose payment it is, and what could be run again. */
async function stamped(
  { db, clock }: InspectorDeps,
  { id, provider, deadEffects }: Subject['row'],
  event: UnstampedOrderEvent,
): Promise<OrderEvent> {
  const whole = { ...event, at: clock().toISOString() } as OrderEvent;
  if (whole.type === 'retry.requested' && deadEffects.length > 0) return { ...whole, dead: deadEffects };
  if (provider === null || (whole.type !== 'payment.authorized' && whole.type !== 'payment.captured')) return whole;
  const owner = await paymentOwner(db, provider, whole.paymentId);
  return owner !== null && owner !== id ? { ...whole, ownedBy: owner } : whole;
}

export const isConflict = (error: unknown): error is PaylatchError =>
  error instanceof PaylatchError && error.code === 'version_conflict';
