// The functions behind the HTTP API, put together from the database, dispatch and the providers.
import { type OrderRow, readOrderRow, readTimeline, searchOrders } from '../db/orders.ts';
import { listPlans, type PlanRow, putPlan } from '../db/plans.ts';
import { readSubscriptionPast, readSubscriptions } from '../db/users.ts';
import type { Access } from '../machines/access.ts';
import { KNOWN_MACHINE_IDS } from '../machines/versions.ts';
import { cancelAtEnd, subscriptionView } from './cancelAtEnd.ts';
import { type CheckoutDeps, checkout, payableOf } from './checkout.ts';
import { withCompany } from './company.ts';
import { isCurrency } from './currencies.ts';
import { InvalidRequest, NotFound } from './errors.ts';
import { keptEvents } from './keptEvents.ts';
import type { NotificationsApi } from './notifications/notification.ts';
import { createNotifications } from './notifications/notifications.ts';
import { orderLookup } from './orderLookup.ts';
import { orderView, timelineView } from './orderView.ts';
import type { AccessView, Core, GrantView, OrderFilter, PlanInput, PlanView } from './ports.ts';
import { preview } from './preview.ts';
import { createRecheck } from './recheckAccess.ts';
import { reconciliation } from './reconcile/progress.ts';
import { previewRetryStuck, retryStuck } from './retry/bulk.ts';
import { planEventRetry, retryEvent } from './retry/event.ts';
import { previewRetry, retryOrder } from './retry.ts';
import { accessNow, accessOf } from './subscriptionPast.ts';
import { startTrial } from './trials.ts';

export type CoreDeps = CheckoutDeps & {
  /** Without it there are no endpoints to be made: nothing could be signed. */
  notifications?: NotificationsApi;
  readiness: () => Promise<Record<string, boolean>>;
  /** See createRecheck. */
  recheckWaitMs?: number;
};

export function createCore(deps: CoreDeps): Core {
  const { db, clock } = deps;

  async function known(id: string): Promise<OrderRow> {
    const row = await readOrderRow(db, id);
    if (!row) throw new NotFound(`there is no order ${id}`);
    return row;
  }

  const dispatch = withCompany(deps);
  const retrying = { ...deps, dispatch, monotonic: () => performance.now() };
  const recheck = createRecheck({ ...deps, dispatch });
  const accessTo = async (userId: string, product: string, at?: Date) => {
    const past = await readSubscriptionPast(db, { userId, product, isAboutThePast: at !== undefined });
    return at ? accessOf(past, at) : accessNow(past, clock());
  };

  return {
    dispatch,
    providers: deps.providers,
    lookup: provider => orderLookup(db, provider),
    checkout: (input, key) => checkout({ ...deps, dispatch }, input, key),
    orders: {
      get: async id => orderView(await known(id), clock()),
      list: filter => listOrders(deps, filter),
      async timeline(id) {
        const row = await readTimeline(db, id);
        if (!row) throw new NotFound(`there is no order ${id}`);
        return timelineView(row, clock());
      },
      returnUrl: async id => (await known(id)).returnUrl,
      payUrl: async id => payableOf(await known(id), deps.publicUrl).url ?? null,
      async payable(id) {
        const row = await known(id);
        if (!row.provider || !row.providerOrderId) throw new NotFound(`order ${id} was not opened at a provider`);
        return { provider: row.provider, order: payableOf(row, deps.publicUrl) };
      },
      preview: (id, event, ifMatch) => preview(deps, id, event, ifMatch),
    },
    retry: {
      order: (id, request) => retryOrder(retrying, id, request),
      preview: (id, request) => previewRetry(retrying, id, request),
      stuck: request => retryStuck(retrying, request),
      previewStuck: request => previewRetryStuck(retrying, request),
    },
    events: {
      list: filter => keptEvents(db, filter),
      planRetry: ref => planEventRetry(retrying, ref),
      retry: (ref, request) => retryEvent(retrying, ref, request),
    },
    users: {
      async access(userId, product, at) {
        const access = await accessTo(userId, product, at);
        const isDenied = at === undefined && !access.access;
        const asked = isDenied && (await recheck({ userId, product }, access));
        return accessView(asked ? await accessTo(userId, product) : access, product);
      },
      subscriptions: async userId => (await readSubscriptions(db, userId)).map(subscriptionView),
      trial: wish => startTrial(deps, wish),
      cancelAtEnd: wish => cancelAtEnd(deps, wish),
    },
    plans: {
      put: async (id, plan) => planView(await putPlan(db, planRow(id, plan))),
      list: async () => (await listPlans(db)).map(planView),
    },
    reconciliation: reconciliation(deps),
    notifications: deps.notifications ?? createNotifications({ ...deps, key: null, privateAddresses: false }),
    readiness: deps.readiness,
  };
}

async function listOrders({ db, clock }: CoreDeps, filter: OrderFilter) {
  const now = clock();
  const rows = await searchOrders(db, {
    state: filter.state ?? null,
    userId: filter.userId ?? null,
    provider: filter.provider ?? null,
    cursor: filter.cursor ?? null,
    limit: filter.limit + 1,
    stuckAt: filter.stuck || filter.cause ? now : null,
    cause: filter.cause ?? null,
    machines: KNOWN_MACHINE_IDS,
  });
  const page = rows.slice(0, filter.limit);
  const more = rows.length > filter.limit;
  return { orders: page.map(row => orderView(row, now)), nextCursor: more ? (page.at(-1)?.id ?? null) : null };
}

function accessView({ access, until, graceUntil, reason, grants }: Access, product: string): AccessView {
  return {
    access,
    product,
    until: until?.toISOString() ?? null,
    graceUntil: graceUntil?.toISOString() ?? null,
    reason,
    grants: grants.map(grantView),
  };
}

function grantView(grant: Access['grants'][number]): GrantView {
  const { orderId, product, seq, paymentId, months, days, graceDays, revokeReason } = grant;
  return {
    orderId,
    product,
    seq,
    paymentId,
    baseAt: grant.baseAt.toISOString(),
    months,
    days,
    graceDays,
    startsAt: grant.startsAt.toISOString(),
    endsAt: grant.endsAt.toISOString(),
    grantedAt: grant.grantedAt.toISOString(),
    revokedAt: grant.revokedAt?.toISOString() ?? null,
    revokeReason,
  };
}

function planRow(id: string, plan: PlanInput): Omit<PlanRow, 'createdAt' | 'updatedAt'> {
  if (!isCurrency(plan.currency)) throw new InvalidRequest(`${plan.currency} is not an ISO 4217 currency`);
  const { period, ...rest } = plan;
  return { id, ...rest, months: 'months' in period ? period.months : 0, days: 'days' in period ? period.days : 0 };
}

function planView({ months, days, createdAt, updatedAt, ...plan }: PlanRow): PlanView {
  const period = months > 0 ? { months } : { days };
  return { ...plan, period, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
