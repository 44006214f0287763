// The rows of the commit statement, column by column: what commit.ts names in SQL is filled here.
import type { Grant } from '../machines/subscription.ts';
import { type RowArrays, statementArrays } from './arrays.ts';
import type {
  Commit,
  EffectWrite,
  FindingWrite,
  InboxWrite,
  MovedBackWrite,
  OrderWrite,
  PaymentWrite,
  SubscriptionWrite,
  TransitionWrite,
} from './writes.ts';

/** `g` is the index of the row's group in the commit; null stands outside all groups. */
type Grouped<R> = { rows: R[]; g: (number | null)[] };
type MovedBackRow = MovedBackWrite & { provider: string; paymentId: string };

const iso = (instant: Date | null) => instant?.toISOString() ?? null;
/**
 * A value as JSON text that jsonb accepts. JSON allows U+0000 and lone surrogates, jsonb refuses them: they become U+FFFD,
 * and the bytes that arrived stay in `raw`. Looking at every value takes ten times as long as writing it, so that is done
 * only where the text seems to hold such a character.
 */
function json(value: unknown): string {
  const text = JSON.stringify(value);
  return /\\u(0000|d[89a-f])/.test(text) ? JSON.stringify(value, wellFormed) : text;
}
const wellFormed = (_key: string, value: unknown) =>
  typeof value === 'string' && /[\0\ud800-\udfff]/.test(value)
    ? value.toWellFormed().replaceAll('\0', '\ufffd')
    : value;

const arrays = statementArrays();
const movedBack = {
  g: ['int', (_: MovedBackRow, g: number | null) => g],
  id: ['text', (r: MovedBackRow) => r.id],
  provider: ['text', (r: MovedBackRow) => r.provider],
  payment_id: ['text', (r: MovedBackRow) => r.paymentId],
  state: ['text', (r: MovedBackRow) => r.state],
  amount: ['bigint', (r: MovedBackRow) => r.amountMinor],
  as_of: ['text', (r: MovedBackRow) => r.asOf],
} as const;

export const commitRows = {
  orders: arrays<OrderWrite>('x', {
    g: ['int', (_, g) => g],
    id: ['text', r => r.id],
    expected_version: ['int', r => r.expectedVersion],
    steps: ['int', r => r.transitions.length],
    state: ['text', r => r.state],
    snapshot: ['text', r => (r.transitions.length > 0 ? json(r.snapshot) : null)],
    wake_at: ['text', r => iso(r.wakeAt)],
    provider_order_id: ['text', r => r.providerOrderId],
    provider_subscription_id: ['text', r => r.providerSubscriptionId],
    grant_error: ['text', r => r.grantError],
  }),
  payments: arrays<PaymentWrite>('x', {
    g: ['int', (_, g) => g],
    payment_id: ['text', r => r.paymentId],
    provider: ['text', r => r.provider],
    order_id: ['text', r => r.orderId],
    state: ['text', r => r.state],
    currency: ['text', r => r.currency],
    captured: ['bigint', r => r.capturedMinor],
    refunded: ['bigint', r => r.refundedMinor],
    lost: ['bigint', r => r.lostMinor],
    counts: ['boolean', r => r.counts],
    as_of: ['text', r => r.asOf],
  }),
  subscriptions: arrays<SubscriptionWrite>('x', {
    g: ['int', (_, g) => g],
    user_id: ['text', r => r.userId],
    product: ['text', r => r.product],
    expected_version: ['int', r => r.expectedVersion],
    grants: ['int', r => r.grants],
    anchor_at: ['text', r => iso(r.anchorAt)],
    anchor_months: ['int', r => r.anchorMonths],
    ends_at: ['text', r => iso(r.endsAt)],
    grace_days: ['int', r => r.graceDays],
    cancel_at_end: ['boolean', r => r.cancelAtEnd],
  }),
  transitions: arrays<TransitionWrite>('x', {
    g: ['int', (_, g) => g],
    order_id: ['text', r => r.orderId],
    version: ['int', r => r.version],
    event_type: ['text', r => r.eventType],
    event: ['text', r => json(r.event)],
    from_state: ['text', r => r.from],
    to_state: ['text', r => r.to],
    source: ['text', r => r.source],
    event_key: ['text', r => r.eventKey],
    at: ['text', r => r.at],
  }),
  refunds: arrays<MovedBackRow>('x', movedBack),
  disputes: arrays<MovedBackRow>('x', movedBack),
  grants: arrays<Grant>('x', {
    g: ['int', (_, g) => g],
    order_id: ['text', r => r.orderId],
    user_id: ['text', r => r.userId],
    product: ['text', r => r.product],
    seq: ['int', r => r.seq],
    provider: ['text', r => r.provider],
    payment_id: ['text', r => r.paymentId],
    base_at: ['text', r => iso(r.baseAt)],
    months: ['int', r => r.months],
    days: ['int', r => r.days],
    grace_days: ['int', r => r.graceDays],
    starts_at: ['text', r => iso(r.startsAt)],
    ends_at: ['text', r => iso(r.endsAt)],
    granted_at: ['text', r => iso(r.grantedAt)],
    revoked_at: ['text', r => iso(r.revokedAt)],
    revoke_reason: ['text', r => r.revokeReason],
  }),
  effects: arrays<EffectWrite>('x', {
    g: ['int', (_, g) => g],
    id: ['text', r => r.id],
    order_id: ['text', r => r.orderId],
    order_version: ['int', r => r.orderVersion],
    effect: ['text', r => r.effect],
    payload: ['text', r => json(r.payload)],
    dedup_key: ['text', r => r.dedupKey],
    available_at: ['text', r => r.availableAt],
  }),
  inbox: arrays<InboxWrite>('x', {
    g: ['int', (_, g) => g],
    event_key: ['text', r => r.eventKey],
    provider: ['text', r => r.provider],
    event_type: ['text', r => r.eventType],
    order_id: ['text', r => r.orderId],
    provider_order_id: ['text', r => r.providerOrderId],
    source: ['text', r => r.source],
    raw: ['text', r => Buffer.from(r.raw).toString('hex')],
    body_hash: ['text', r => r.bodyHash],
    headers: ['text', r => json(r.headers)],
    received_at: ['text', r => r.receivedAt.toISOString()],
    mark: ['text', r => r.mark],
    payer_id: ['text', r => r.payerId],
    event: ['text', r => (r.event === null ? null : json(r.event))],
    verdict: ['text', r => r.verdict],
    detail: ['text', r => r.detail],
    decided_version: ['int', r => r.decidedVersion],
    applied_version: ['int', r => r.appliedVersion],
    deliveries: ['int', r => r.deliveries],
    next_attempt_at: ['text', r => iso(r.nextAttemptAt)],
  }),
  findings: arrays<FindingWrite>('x', {
    id: ['text', r => r.id],
    fingerprint: ['text', r => r.fingerprint],
    kind: ['text', r => r.kind],
    severity: ['text', r => r.severity],
    order_id: ['text', r => r.orderId],
    detail: ['text', r => r.detail],
  }),
};

/** The parameters of one commit, in the order the arrays above were declared. */
export function commitParams({ groups, looseInbox, findings }: Commit): string[] {
  const ofGroups = <R>(pick: (group: Commit['groups'][number]) => readonly R[]): Grouped<R> => {
    const grouped: Grouped<R> = { rows: [], g: [] };
    groups.forEach((group, g) => {
      for (const row of pick(group)) {
        grouped.rows.push(row);
        grouped.g.push(g);
      }
    });
    return grouped;
  };
  const params = <R>(columns: RowArrays<R>, { rows, g }: Grouped<R>) => columns.params(rows, g);
  const back = (pick: (payment: PaymentWrite) => MovedBackWrite[]) =>
    ofGroups(group =>
      group.payments.flatMap(payment =>
        pick(payment).map(row => ({ ...row, provider: payment.provider, paymentId: payment.paymentId })),
      ),
    );
  const inbox = ofGroups(group => group.inbox);
  return [
    ...params(
      commitRows.orders,
      ofGroups(group => group.orders),
    ),
    ...params(
      commitRows.payments,
      ofGroups(group => group.payments),
    ),
    ...params(
      commitRows.subscriptions,
      ofGroups(group => (group.subscription ? [group.subscription] : [])),
    ),
    ...params(
      commitRows.transitions,
      ofGroups(group => group.orders.flatMap(order => order.transitions)),
    ),
    ...params(
      commitRows.refunds,
      back(payment => payment.refunds),
    ),
    ...params(
      commitRows.disputes,
      back(payment => payment.disputes),
    ),
    ...params(
      commitRows.grants,
      ofGroups(group => group.grants),
    ),
    ...params(
      commitRows.effects,
      ofGroups(group => group.effects),
    ),
    // Rows without a number are in no group.
    ...commitRows.inbox.params([...inbox.rows, ...looseInbox], inbox.g),
    ...commitRows.findings.params(findings),
  ];
}
