// What became of an event that arrived, in a sentence for a person; above all why one changed nothing. Which transitions it
// made stands beside the sentence.
import type { ReceivedRow } from '../../../db/inspect/orderPageRows.ts';

/** `stateThen` is where the order stood when it was decided, where that is known. */
export function whatBecame(
  { verdict, detail, appliedVersion }: Pick<ReceivedRow, 'verdict' | 'detail' | 'appliedVersion'>,
  stateThen: string | null,
): string {
  const because = detail ? `: ${detail.replace(/\.$/, '')}` : '';
  const then = stateThen ? ` The order was ${stateThen}.` : '';
  const version = appliedVersion === null ? '' : ` It made version ${appliedVersion}.`;
  switch (verdict) {
    case 'applied':
      return `Applied.${version}${detail ? ` Noted with it: ${detail.replace(/\.$/, '')}.` : ''}`;
    case 'duplicate':
      return `Not applied, the order knew it already${because}.${then}`;
    case 'stale':
      return `Not applied, it came too late to matter${because}.${then}`;
    case 'illegal':
      return `Refused, the order did not allow it${because}.${then}`;
    case 'mismatch':
      return `Recorded, but it does not pay for this order${because}.${version}`;
    case 'surplus':
      return `Recorded as paid once too often, no second grant${because}.${version}`;
    case 'unmatched':
      return `Not applied yet, its order was not known${because}.`;
    case 'foreign':
      return `Not applied, it carries no mark of ours${because}.`;
    case 'parked':
      return `Not applied, kept until it can be decided${because}.${then}`;
    case 'ignored':
      return `Nothing for the order in it${because}.`;
    default:
      return `${verdict}${because}.`;
  }
}
