// Where a run stands, as the one text that is stored: in the provider's list of payments, in one of disputes or refunds, or
// in our own payments that the first did not hold.
import { MONEY_BACK_KINDS, type MoneyBackKind } from '../providers/provider.ts';

export type Place =
  | { at: 'theirs'; cursor: string | null }
  | { at: MoneyBackKind; cursor: string | null }
  /** `after` is the effect of ours that was looked at last, `asked` how many of our payments were asked about so far. */
  | { at: 'ours'; after: string | null; asked: number }
  | { at: 'end' };

const THEIRS = 'theirs:';
const OURS = /^ours:(\d{1,9}):(.*)$/s;
const END = 'end';

export function textOf(place: Place): string | null {
  if (place.at === 'end') return END;
  if (place.at === 'ours') return `ours:${place.asked}:${place.after ?? ''}`;
  if (place.at === 'theirs') return place.cursor === null ? null : THEIRS + place.cursor;
  return `${place.at}:${place.cursor ?? ''}`;
}

/** Null, and whatever cannot be read, is the beginning: reading a list again changes nothing. */
export function placeOf(text: string | null): Place {
  if (text === END) return { at: 'end' };
  const ours = OURS.exec(text ?? '');
  if (ours) return { at: 'ours', after: ours[2] || null, asked: Number(ours[1]) };
  const at = MONEY_BACK_KINDS.find(kind => text?.startsWith(`${kind}:`));
  if (text && at) return { at, cursor: text.slice(at.length + 1) || null };
  return { at: 'theirs', cursor: text?.startsWith(THEIRS) ? text.slice(THEIRS.length) : null };
}
