// Merchant notifications, put together: the worker's handler, and what merchants may look at and do by hand.
import { type EndpointRow, endpointsWithout, readEndpoint } from '../../db/endpoints.ts';
import {
  type NotificationRow,
  readAttempts,
  readNotification,
  searchNotifications,
  settleDeadNotification,
} from '../../db/notifications.ts';
import type { EffectHandler } from '../effects/effect.ts';
import { InvalidRequest, NotFound } from '../errors.ts';
import type { Resolve } from './address.ts';
import { attemptView } from './attemptView.ts';
import { DELIVERY_TIMEOUT_MS, type DeliveryDeps, deliver, signingKey } from './delivery.ts';
import { endpointsApi } from './endpoints.ts';
import type { NotificationsApi, NotificationView } from './notification.ts';
import { bodyOf, messageOf, notifyHandler } from './notify.ts';
import { createResolve } from './resolve.ts';

/** Rows one page of the list looks at, at most: one query must stay far below its deadline however rare its matches are. */
const MAX_SCAN = 5_000;
/** Attempts shown of one notification, the newest: ten rounds over all endpoints, and as many by hand. */
const MAX_ATTEMPTS_SHOWN = 400;

export type NotificationsDeps = Omit<DeliveryDeps, 'resolve' | 'timeoutMs'> & {
  /** Default: the system's. */
  resolve?: Resolve;
  /** In ms. */
  timeoutMs?: number;
};

export type Notifications = NotificationsApi & { notifyHandler: EffectHandler };

export function createNotifications(given: NotificationsDeps): Notifications {
  const deps: DeliveryDeps = { resolve: createResolve(), timeoutMs: DELIVERY_TIMEOUT_MS, ...given };
  const { db } = deps;

  async function known(id: string): Promise<NotificationRow> {
    const row = await readNotification(db, id);
    if (!row) throw new NotFound(`there is no notification ${id}`);
    return row;
  }

  return {
    notifyHandler: notifyHandler(deps),
    endpoints: endpointsApi(deps),
    async list({ endpointId, orderId, status, cursor, limit }) {
      const { rows, oldest } = await searchNotifications(db, {
        endpointId: endpointId ?? null,
        orderId: orderId ?? null,
        status: status ?? null,
        cursor: cursor ?? null,
        limit: limit + 1,
        scan: Math.max(MAX_SCAN, limit + 1),
      });
      const page = rows.slice(0, limit);
      const nextCursor = rows.length > limit ? (page.at(-1)?.id ?? null) : oldest;
      return { notifications: page.map(notificationView), nextCursor };
    },
    async get(id) {
      const row = await known(id);
      const attempts = await readAttempts(db, id, MAX_ATTEMPTS_SHOWN);
      return { notification: notificationView(row), body: bodyOf(row), attempts: attempts.map(attemptView) };
    },
    async redeliver(id, { endpointId, reason }) {
      const row = await known(id);
      const topic = String(row.payload.type);
      const to = endpointId ? [await enabledEndpoint(deps, endpointId)] : await endpointsWithout(db, id, topic);
      if (to.length > 0) signingKey(deps);
      const occasion = { trigger: 'manual', reason } as const;
      const attempts = await Promise.all(to.map(endpoint => deliver(deps, endpoint, messageOf(row), occasion)));
      const settled = row.status === 'dead' && (await endpointsWithout(db, id, topic)).length === 0;
      if (settled) await settleDeadNotification(db, id, deps.clock());
      return attempts.map(attemptView);
    },
  };
}

async function enabledEndpoint({ db }: DeliveryDeps, id: string): Promise<EndpointRow> {
  const row = await readEndpoint(db, id);
  if (!row) throw new NotFound(`there is no endpoint ${id}`);
  if (row.disabledAt) throw new InvalidRequest(`Endpoint ${id} is disabled; enable it first.`);
  return row;
}

function notificationView(row: NotificationRow): NotificationView {
  return {
    id: row.id,
    type: String(row.payload.type),
    orderId: row.orderId,
    status: row.status,
    attempts: row.attempts,
    createdAt: row.at.toISOString(),
    doneAt: row.doneAt?.toISOString() ?? null,
    lastError: row.lastError,
    nextAttemptAt: row.status === 'pending' ? row.availableAt.toISOString() : null,
  };
}
