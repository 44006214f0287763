// The rows of the commit statement, column by column: what commit.ts names in SQL is filled here.
import { statementArrays } from './arrays.ts';
import type {
  Commit,
  EffectWrite,
  FindingWrite,
  GrantWrite,
  InboxWrite,
  MovedBackWrite,
  OrderWrite,
  PaymentWrite,
  SubscriptionWrite,
  TransitionWrite,
} from './writes.ts';

/** `g` is the group's index in the commit; null stands outside all groups. */
type Grouped<R> = R & { g: number };
type MovedBackRow = Grouped<MovedBackWrite> & { provider: string; paymentId: string };

const iso = (instant: Date | null) => instant?.toISOString() ?? null;
/** jsonb refuses U+0000 and lone surrogates, JSON lets them through: what is shown becomes U+FFFD, `raw` keeps the bytes. */
const json = (value: unknown) => JSON.stringify(value, wellFormed);
const wellFormed = (_key: string, value: unknown) =>
  typeof value === 'string' && /[\0\ud800-\udfff]/.test(value)
    ? value.toWellFormed().replaceAll('\0', '\ufffd')
    : value;

const arrays = statementArrays();
const movedBack = {
  g: ['int', (r: MovedBackRow) => r.g],
  id: ['text', (r: MovedBackRow) => r.id],
  provider: ['text', (r: MovedBackRow) => r.provider],
  payment_id: ['text', (r: MovedBackRow) => r.paymentId],
  state: ['text', (r: MovedBackRow) => r.state],
  amount: ['bigint', (r: MovedBackRow) => r.amountMinor],
  as_of: ['text', (r: MovedBackRow) => r.asOf],
} as const;

export const commitRows = {
  orders: arrays<Grouped<OrderWrite>>('x', {
    g: ['int', r => r.g],
    id: ['text', r => r.id],
    ver: ['int', r => r.expectedVersion],
    n: ['int', r => r.transitions.length],
    state: ['text', r => r.state],
    snapshot: ['text', r => (r.transitions.length > 0 ? json(r.snapshot) : null)],
    wake_at: ['text', r => iso(r.wakeAt)],
    provider_order_id: ['text', r => r.providerOrderId],
    grant_error: ['text', r => r.grantError],
  }),
  payments: arrays<Grouped<PaymentWrite>>('x', {
    g: ['int', r => r.g],
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
  subscriptions: arrays<Grouped<SubscriptionWrite>>('x', {
    g: ['int', r => r.g],
    user_id: ['text', r => r.userId],
    product: ['text', r => r.product],
    ver: ['int', r => r.expectedVersion],
    grants: ['int', r => r.grants],
    anchor_at: ['text', r => iso(r.anchorAt)],
    anchor_months: ['int', r => r.anchorMonths],
    ends_at: ['text', r => iso(r.endsAt)],
    grace_days: ['int', r => r.graceDays],
  }),
  transitions: arrays<Grouped<TransitionWrite>>('x', {
    g: ['int', r => r.g],
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
  grants: arrays<Grouped<GrantWrite>>('x', {
    g: ['int', r => r.g],
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
  effects: arrays<Grouped<EffectWrite>>('x', {
    g: ['int', r => r.g],
    id: ['text', r => r.id],
    order_id: ['text', r => r.orderId],
    order_version: ['int', r => r.orderVersion],
    effect: ['text', r => r.effect],
    payload: ['text', r => json(r.payload)],
    dedup_key: ['text', r => r.dedupKey],
  }),
  inbox: arrays<InboxWrite & { g: number | null }>('x', {
    g: ['int', r => r.g],
    event_key: ['text', r => r.eventKey],
    provider: ['text', r => r.provider],
    event_type: ['text', r => r.eventType],
    order_id: ['text', r => r.orderId],
    provider_order_id: ['text', r => r.providerOrderId],
    source: ['text', r => r.source],
    raw: ['text', r => Buffer.from(r.raw).toString('hex')],
    body_hash: ['text', r => r.bodyHash],
    headers: ['text', r => json(r.headers)],
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
  const of = <R>(pick: (group: Commit['groups'][number]) => readonly R[]): Grouped<R>[] =>
    groups.flatMap((group, g) => pick(group).map(row => ({ ...row, g })));
  const payments = of(group => group.payments);
  const back = (pick: (payment: PaymentWrite) => MovedBackWrite[]): MovedBackRow[] =>
    payments.flatMap(payment =>
      pick(payment).map(row => ({ ...row, g: payment.g, provider: payment.provider, paymentId: payment.paymentId })),
    );
  return [
    ...commitRows.orders.params(of(group => group.orders)),
    ...commitRows.payments.params(payments),
    ...commitRows.subscriptions.params(of(group => (group.subscription ? [group.subscription] : []))),
    ...commitRows.transitions.params(of(group => group.orders.flatMap(order => order.transitions))),
    ...commitRows.refunds.params(back(payment => payment.refunds)),
    ...commitRows.disputes.params(back(payment => payment.disputes)),
    ...commitRows.grants.params(of(group => group.grants)),
    ...commitRows.effects.params(of(group => group.effects)),
    ...commitRows.inbox.params([...of(group => group.inbox), ...looseInbox.map(row => ({ ...row, g: null }))]),
    ...commitRows.findings.params(findings),
  ];
}
