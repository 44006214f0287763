// Tells somebody, once, of what stands still: orders that this release cannot read, webhooks that could not be understood, a
// provider whose payments have not been listed for a day, an event key that came again with another body.
import { type OpenFinding, openFindings, resolveFindings } from '../../db/findings.ts';
import { readListings } from '../../db/listings.ts';
import {
  raiseFindings,
  readFoundUnreadable,
  readOpenOf,
  readSilentFindings,
  readUndecodable,
  readUnknownCharts,
  readWaiting,
  undecodableFingerprint,
  type WaitingOrder,
} from '../../db/untold.ts';
import { readOrder, SnapshotUnreadable } from '../../machines/snapshot.ts';
import { KNOWN_MACHINE_IDS } from '../../machines/versions.ts';
import type { Job } from './jobs.ts';
import type { UnmatchedDeps } from './unmatchedEvents.ts';

/** Pause between two looks, in ms: everything that is told here took minutes to become true. */
const LOOK_PAUSE_MS = 60_000;
/**
 * How long orders must have been unreadable before somebody is told, in ms: while a release is rolled out, processes of the old
 * one meet orders of the new one for some minutes.
 */
const UNREADABLE_FOR_MS = 600_000;
/**
 * How long a webhook that could not be understood is counted, in ms. When none has come for so long, its finding is
 * resolved.
 */
const UNDECODABLE_FOR_MS = 7 * 86_400_000;
/**
 * How long the payments of a provider may go unlisted, in ms. A run is due every quarter of an hour, so a day is more
 * than an outage.
 */
const UNLISTED_FOR_MS = 86_400_000;
/**
 * How long this process must have seen that, in ms: a service that was off for days first gets to list, and only then
 * tells.
 */
const UNLISTED_SEEN_MS = 600_000;

export type UntoldDeps = Pick<UnmatchedDeps, 'db' | 'providers' | 'clock' | 'newId' | 'log'>;

type Found = Omit<OpenFinding, 'id' | 'alertId' | 'alertPayload'> & { about?: Record<string, unknown> };
type Look = {
  /** Fingerprints of everything that is true now. */
  now: string[];
  /** What of it has been true for long enough to be told. */
  told: Found[];
};
/** Since when this process has seen each of these without a break, in ms. */
type SeenSince = (what: ReadonlySet<string>, at: Date) => Map<string, number>;

/** The job; any number of replicas may have it. */
export function untoldJob(deps: UntoldDeps): Job {
  const charts = createSeenSince();
  const listings = createSeenSince();
  return {
    name: 'what nobody was told',
    everyMs: LOOK_PAUSE_MS,
    async run() {
      await tell(deps, ['chart_unknown'], await unknownCharts(deps, charts));
      await tell(deps, [], { now: [], told: await unreadable(deps) });
      await resolveReadable(deps);
      await tell(deps, ['webhook_undecodable'], await undecodable(deps));
      await tell(deps, ['listing_late'], await lateListings(deps, listings));
      await raiseSilent(deps);
    },
  };
}

/** Opens a finding with its alert for what is told, and resolves open findings of these kinds that are no longer true. */
async function tell({ db, clock, newId, log }: UntoldDeps, kinds: readonly string[], look: Look): Promise<void> {
  const at = clock();
  const findings = look.told.map(({ about = {}, ...found }) => ({
    ...found,
    id: newId('fnd'),
    alertId: newId('eff'),
    alertPayload: {
      cause: found.kind,
      severity: found.severity,
      detail: found.detail,
      ...(found.orderId !== null && { orderId: found.orderId }),
      ...about,
    },
  }));
  for (const fingerprint of await openFindings(db, findings, at)) log.error({ fingerprint }, 'finding opened');
  if (kinds.length === 0) return;
  const open = await readOpenOf(db, kinds);
  await resolveFindings(
    db,
    open.filter(fingerprint => !look.now.includes(fingerprint)),
    at,
  );
}

/**
 * Since when a chart is unknown is stored nowhere, and each process may know other charts: each counts from when it
 * first saw it.
 */
async function unknownCharts({ db, clock }: UntoldDeps, seenSince: SeenSince): Promise<Look> {
  const at = clock();
  const found = (await readUnknownCharts(db, KNOWN_MACHINE_IDS)).map(({ machine, orders }) => ({
    fingerprint: `chart_unknown:${machine}`,
    kind: 'chart_unknown',
    severity: 'critical' as const,
    orderId: null,
    detail: `${orders === 1 ? '1 order lives' : `${orders} orders live`} on the chart ${machine}, which this release does not have`,
  }));
  const now = found.map(({ fingerprint }) => fingerprint);
  const since = seenSince(new Set(now), at);
  return { now, told: found.filter(({ fingerprint }) => isLong(since, fingerprint, at, UNREADABLE_FOR_MS)) };
}

/** Orders on charts we know that cannot be read, once an event or their deadline has waited for it. */
async function unreadable({ db, clock }: UntoldDeps): Promise<Found[]> {
  const before = new Date(clock().getTime() - UNREADABLE_FOR_MS);
  const waiting = await readWaiting(db, before, KNOWN_MACHINE_IDS);
  return waiting.flatMap(order => {
    const why = whyUnreadable(order);
    if (why === null) return [];
    const fingerprint = unreadableFingerprint(order.id);
    return [
      { fingerprint, kind: 'snapshot_unreadable', severity: 'critical' as const, orderId: order.id, detail: why },
    ];
  });
}

async function resolveReadable({ db, clock }: UntoldDeps): Promise<void> {
  const readable = (await readFoundUnreadable(db)).filter(order => whyUnreadable(order) === null);
  await resolveFindings(
    db,
    readable.map(({ id }) => unreadableFingerprint(id)),
    clock(),
  );
}

const unreadableFingerprint = (orderId: string) => `snapshot_unreadable:${orderId}`;

function whyUnreadable(order: WaitingOrder): string | null {
  try {
    readOrder(order);
    return null;
  } catch (error) {
    if (error instanceof SnapshotUnreadable) return error.message;
    throw error;
  }
}

/** Whoever resolved such a finding has seen the webhooks until then, so only a newer one opens it again. */
async function undecodable({ db, clock }: UntoldDeps): Promise<Look> {
  const heard = await readUndecodable(db, new Date(clock().getTime() - UNDECODABLE_FOR_MS));
  const fresh = heard.filter(({ latestAt, resolvedAt }) => resolvedAt === null || latestAt > resolvedAt);
  return {
    now: heard.map(({ provider, eventType }) => undecodableFingerprint(provider, eventType)),
    told: fresh.map(({ provider, eventType, count, detail }) => ({
      fingerprint: undecodableFingerprint(provider, eventType),
      kind: 'webhook_undecodable',
      severity: 'warning',
      orderId: null,
      detail: `${provider} sent ${count === 1 ? 'a webhook' : `${count} webhooks`} of type ${eventType} in a form that is not known here${detail ? `: ${detail}` : ''}`,
      about: { provider, eventType },
    })),
  };
}

async function lateListings({ db, providers, clock }: UntoldDeps, seenSince: SeenSince): Promise<Look> {
  const at = clock();
  const late = (await readListings(db, [...providers.keys()])).flatMap(listing => {
    const { provider, depth, completedAt, startedAt, nextAt, lastError } = listing;
    // One that never came to its end counts from its first try.
    const since = completedAt ?? startedAt ?? nextAt;
    if (depth !== 'recent' || at.getTime() - since.getTime() < UNLISTED_FOR_MS) return [];
    const trouble = lastError ? `: ${lastError}` : '';
    const detail = `the payments of ${provider} were ${completedAt ? 'last' : 'never'} listed to the end${completedAt ? ` at ${completedAt.toISOString()}` : `, and that is tried since ${since.toISOString()}`}${trouble}`;
    const fingerprint = `listing_late:${provider}`;
    const severity = 'warning' as const;
    const found = { fingerprint, kind: 'listing_late', severity, orderId: null, detail, about: { provider } };
    return [{ found, name: `${provider} ${since.toISOString()}` }];
  });
  const seen = seenSince(new Set(late.map(({ name }) => name)), at);
  const told = late.filter(({ name }) => isLong(seen, name, at, UNLISTED_SEEN_MS)).map(({ found }) => found);
  return { now: late.map(({ found }) => found.fingerprint), told };
}

/** Writes the alerts of findings that dispatch has opened in its own commit, which leaves them out to stay cheap. */
async function raiseSilent({ db, clock, newId }: UntoldDeps): Promise<void> {
  for (let found = await readSilentFindings(db); found.length > 0; found = await readSilentFindings(db)) {
    const raised = found.map(({ fingerprint, kind, severity, orderId, detail }) => ({
      alertId: newId('eff'),
      fingerprint,
      payload: { cause: kind, severity, detail, ...(orderId !== null && { orderId }) },
    }));
    await raiseFindings(db, raised, clock());
  }
}

/**
 * Kept in memory only. What is missed once begins anew. So does what was told just now: while two releases run side by side, one
 * may open a finding that the other resolves, and somebody is then told every ten minutes instead of every minute.
 */
function createSeenSince(): SeenSince {
  const since = new Map<string, number>();
  return (what, at) => {
    for (const name of since.keys()) if (!what.has(name)) since.delete(name);
    for (const name of what) if (!since.has(name)) since.set(name, at.getTime());
    return since;
  };
}

/** True when it has been seen for so long. The count begins anew then. */
function isLong(since: Map<string, number>, name: string, at: Date, ms: number): boolean {
  const long = at.getTime() - (since.get(name) ?? at.getTime()) >= ms;
  if (long) since.set(name, at.getTime());
  return long;
}
