// A refund that was asked for and never sent is told to its order like one that failed, under a name that we make: no provider
// has one for it.
import { createHash } from 'node:crypto';

/** Longest name of a refund, in characters: what an event may carry. */
const MAX_REFUND_ID_LENGTH = 255;
const PREFIX = 'unsent:';

/** The name of what was asked for under this key. */
export function unsentRefundId(dedupKey: string): string {
  const name = `${PREFIX}${dedupKey}`;
  if (name.length <= MAX_REFUND_ID_LENGTH) return name;
  return `${PREFIX}${createHash('sha256').update(dedupKey).digest('hex')}`;
}

/** True of a refund that its provider was never asked for. */
export const isUnsentRefund = (refundId: string): boolean => refundId.startsWith(PREFIX);
