// What of an order's page is shown, from its address and back into addresses: which entries, which pages of the long
// lists, and at which instant access is asked for. What cannot be read is left out, never an error: links get cut in chats.
import { ENTRY_KINDS, type EntryCursor, type EntryKind } from '../../../db/inspect/orderPageRows.ts';

/** Entries of the timeline at once: more than most orders ever have, few enough to be read. */
export const TIMELINE_PAGE = 100;
/** Transitions, and effects that are over, at once. */
export const TRANSITIONS_PAGE = 50;
export const EFFECTS_PAGE = 25;

export type TimelineFilter = 'all' | 'unapplied' | 'arrived' | 'transitions' | 'effects' | 'notifications' | 'findings';

/** Each filter with its name for a person and the kinds of entries it lets through. */
export const TIMELINE_FILTERS: readonly { id: TimelineFilter; label: string; kinds: readonly EntryKind[] }[] = [
  { id: 'all', label: 'Everything', kinds: ENTRY_KINDS },
  { id: 'arrived', label: 'Arrived', kinds: ['received', 'unapplied'] },
  { id: 'unapplied', label: 'Not applied', kinds: ['unapplied'] },
  { id: 'transitions', label: 'Transitions', kinds: ['received', 'transition'] },
  { id: 'effects', label: 'Effects', kinds: ['effect'] },
  { id: 'notifications', label: 'Notifications', kinds: ['notification'] },
  { id: 'findings', label: 'Findings', kinds: ['finding'] },
];

export type PageQuery = {
  show: TimelineFilter;
  before: EntryCursor | null;
  versionsBefore: number | null;
  effectsBefore: { orderVersion: number; id: string } | null;
  /** As typed, and as understood: UTC. */
  at: { text: string; instant: Date | null } | null;
};

export function readPageQuery(params: URLSearchParams): PageQuery {
  const show = TIMELINE_FILTERS.find(({ id }) => id === params.get('show'))?.id ?? 'all';
  const typed = params.get('at')?.trim() ?? '';
  return {
    show,
    before: entryCursor(params.get('before')),
    versionsBefore: wholeNumber(params.get('versions_before')),
    effectsBefore: effectCursor(params.get('effects_before')),
    at: typed === '' ? null : { text: typed, instant: readInstant(typed) },
  };
}

export const kindsOf = (show: TimelineFilter): readonly EntryKind[] =>
  TIMELINE_FILTERS.find(({ id }) => id === show)?.kinds ?? ENTRY_KINDS;

export const entryCursorText = ({ instant, rank, key }: EntryCursor): string => `${instant}~${rank}~${key}`;
export const effectCursorText = ({ orderVersion, id }: { orderVersion: number; id: string }): string =>
  `${orderVersion}~${id}`;

/** The address of this page with some of its parameters changed; null takes one away. */
export function pageHref(id: string, query: PageQuery, change: Record<string, string | null>, section: string): string {
  const params = new URLSearchParams();
  const all: Record<string, string | null> = {
    show: query.show === 'all' ? null : query.show,
    before: query.before && entryCursorText(query.before),
    versions_before: query.versionsBefore === null ? null : String(query.versionsBefore),
    effects_before: query.effectsBefore && effectCursorText(query.effectsBefore),
    at: query.at?.text ?? null,
    ...change,
  };
  for (const [name, value] of Object.entries(all)) if (value !== null) params.set(name, value);
  const text = params.toString();
  return `${orderHref(id)}${text === '' ? '' : `?${text}`}#${section}`;
}

export const orderHref = (id: string): string => `/inspector/orders/${encodeURIComponent(id)}`;

function entryCursor(text: string | null): EntryCursor | null {
  const [, instant = '', rank = '', key = ''] = /^([0-9 :.+-]{10,40})~([1-9])~(.{1,400})$/.exec(text ?? '') ?? [];
  return instant !== '' && isInstant(instant) ? { instant, rank: Number(rank), key } : null;
}

function effectCursor(text: string | null): PageQuery['effectsBefore'] {
  const [, version = '', id = ''] = /^(\d{1,9})~([\w-]{1,64})$/.exec(text ?? '') ?? [];
  return id === '' ? null : { orderVersion: Number(version), id };
}

const wholeNumber = (text: string | null): number | null => (/^\d{1,9}$/.test(text ?? '') ? Number(text) : null);

/** `2026-01-31 10:00:00.123456+00` is how the database writes an instant; the engine reads it once the blank is a T. */
const isInstant = (text: string): boolean => existing(`${text.replace(' ', 'T')}:00`) !== null;

/** The 30th of February is no instant, though the engine would take it for the 2nd of March. */
function existing(text: string): Date | null {
  const instant = new Date(text);
  const isReal = !Number.isNaN(instant.getTime()) && instant.toISOString().slice(0, 10) === text.slice(0, 10);
  return isReal ? instant : null;
}

/** What a date field sends (no zone: UTC is meant) or what was copied from a page; null when it is no instant. */
function readInstant(text: string): Date | null {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?)?( ?UTC|Z)?$/.exec(text);
  if (!match) return null;
  const [, day, minute = '00:00', second = ':00'] = match;
  return existing(`${day}T${minute}${second}Z`);
}
