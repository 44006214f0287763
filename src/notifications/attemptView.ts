// A try as the API answers it.
import type { AttemptRow } from '../../db/notifications.ts';
import type { AttemptView } from './notification.ts';

export function attemptView({ at, retryAt, notificationId: _asked, ...row }: AttemptRow): AttemptView {
  return { ...row, at: at.toISOString(), retryAt: retryAt?.toISOString() ?? null };
}
