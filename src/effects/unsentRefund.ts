// A refund that was asked for and never sent is told like one that failed, under a name of ours: no provider knows it.
import { createHash } from 'node:crypto';

/** Longest name of a refund, in characters. */
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
