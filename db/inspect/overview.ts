// Everything the overview shows, in a handful of statements none of which grows with the number of orders: rare things are
// counted exactly by their own indexes, the rest is told from the tallies with what is younger than they are.
import type { Database } from '../client.ts';
import { type OutboxHealth, readOutboxHealth, readSignatureFailures } from './overviewHealth.ts';
import {
  type FindingGroup,
  type KeptGroup,
  readFindingCounts,
  readKeptCounts,
  readStuck,
  type StuckGroup,
  UNSETTLED_STATES,
} from './overviewStuck.ts';
import { type AsOf, type Counted, type CountedSource, readCounted, readDays } from './overviewTallies.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How far back the charts go, and in which steps. */
export const SPANS = {
  '24h': { stepMs: HOUR_MS, steps: 24 },
  '30d': { stepMs: DAY_MS, steps: 30 },
} as const;
export type Span = keyof typeof SPANS;

/** `exact`: counted now by an index of its own, whatever `asOf` says of the others. */
export type StateCount = { state: string; provider: string; count: number; exact: boolean };
export type CurrencyMoney = {
  currency: string;
  capturedMinor: number;
  refundedMinor: number;
  lostMinor: number;
  /** Captured and not gone back. */
  netMinor: number;
  /** What the orders cost that are subscribed now, and how many they are. */
  grantedMinor: number;
  grants: number;
};
export type ProviderWebhooks = {
  provider: string;
  /** When the latest event was received that was new to us. */
  lastAt: Date | null;
  /** Of the last 24 hours: by verdict, and by how long after the provider's own time they were decided. */
  verdicts: ReadonlyMap<string, number>;
  lags: ReadonlyMap<string, number>;
  signatureFailures: number;
  lastFailureAt: Date | null;
};
/** One hour or UTC day of the charts. */
export type Step = {
  at: Date;
  created: number;
  subscribed: number;
  failed: number;
  /** Of events from webhooks and callbacks and of what was learned by asking. */
  verdicts: ReadonlyMap<string, number>;
};

export type Overview = {
  now: Date;
  span: Span;
  ordersAsOf: AsOf;
  eventsAsOf: AsOf;
  /** When somebody last counted: the sweeper's sign of life. */
  talliedAt: Date | null;
  states: StateCount[];
  money: CurrencyMoney[];
  stuck: StuckGroup[];
  webhooks: ProviderWebhooks[];
  outbox: OutboxHealth;
  kept: KeptGroup[];
  findings: FindingGroup[];
  steps: Step[];
};

export type OverviewQuestion = {
  now: Date;
  span: Span;
  /** The charts that can be read here; orders on others are stuck. */
  machines: readonly string[];
  /** Providers that are shown even if nothing was ever heard of them. */
  providers: readonly string[];
};

export async function readOverview(db: Database, question: OverviewQuestion): Promise<Overview> {
  const { now, span, machines, providers } = question;
  const { stepMs, steps } = SPANS[span];
  const dayAgo = new Date(floorTo(now, HOUR_MS) - DAY_MS + HOUR_MS);
  const firstStep = new Date(floorTo(now, stepMs) - (steps - 1) * stepMs);
  // Four at a time: the connections are there for payments first.
  const [orders, events, stuck, outbox] = await Promise.all([
    readCounted(db, 'transitions', dayAgo, now),
    readCounted(db, 'inbox', dayAgo, now),
    readStuck(db, now, machines),
    readOutboxHealth(db, now),
  ]);
  const [kept, findings, failures, days] = await Promise.all([
    readKeptCounts(db),
    readFindingCounts(db),
    readSignatureFailures(db, dayAgo),
    span === '30d' ? readDays(db, firstStep, dayAgo) : [],
  ]);
  const recent = [...orders.recent, ...events.recent];
  const inSteps = [...days, ...recent].flatMap(({ bucketAt, ...rest }) => (bucketAt ? [{ ...rest, bucketAt }] : []));
  return {
    now,
    span,
    ordersAsOf: orders.asOf,
    eventsAsOf: events.asOf,
    talliedAt: orders.ranAt,
    states: statesOf(orders, stuck),
    money: moneyOf(orders.ever),
    stuck: stuck.groups,
    webhooks: webhooksOf(providers, orders, events, failures),
    outbox,
    kept,
    findings,
    steps: stepsOf(inSteps, firstStep, stepMs, steps),
  };
}

const floorTo = (at: Date, ms: number) => Math.floor(at.getTime() / ms) * ms;
const sidesOf = (key: string) => key.split('>') as [from: string, to: string];
const SEPARATOR = '\n';

/** Every transition takes an order out of one state and into another; what remains is where they are. */
function statesOf(
  { ever }: CountedSource,
  { unsettled, crowded }: Awaited<ReturnType<typeof readStuck>>,
): StateCount[] {
  const counts = new Map<string, number>();
  const add = (state: string, provider: string, count: number) =>
    state !== '' &&
    counts.set(`${state}${SEPARATOR}${provider}`, (counts.get(`${state}${SEPARATOR}${provider}`) ?? 0) + count);
  for (const { kind, key, provider, count } of ever) {
    if (kind !== 'order') continue;
    const [from, to] = sidesOf(key);
    add(from, provider, -count);
    add(to, provider, count);
  }
  const tallied = [...counts].map(([name, count]) => {
    const [state = '', provider = ''] = name.split(SEPARATOR);
    return { state, provider, count, exact: false };
  });
  const isCounted = (state: string) => UNSETTLED_STATES.some(one => one === state) && !crowded.has(state);
  const exact = unsettled.map(one => ({ ...one, exact: true }));
  return [...tallied.filter(({ state, count }) => count !== 0 && !isCounted(state)), ...exact];
}

function moneyOf(ever: readonly Counted[]): CurrencyMoney[] {
  const sum = (kind: Counted['kind'], currency: string, of: (tally: Counted) => number) =>
    ever.reduce((total, tally) => (tally.kind === kind && tally.currency === currency ? total + of(tally) : total), 0);
  const amount = (kind: Counted['kind'], currency: string) => sum(kind, currency, tally => tally.amountMinor);
  const currencies = [...new Set(ever.flatMap(({ currency }) => (currency === '' ? [] : [currency])))].sort();
  return currencies.map(currency => {
    const capturedMinor = amount('captured', currency);
    const refundedMinor = amount('refunded', currency);
    const lostMinor = amount('lost', currency);
    return {
      currency,
      capturedMinor,
      refundedMinor,
      lostMinor,
      netMinor: capturedMinor - refundedMinor - lostMinor,
      grantedMinor: amount('granted', currency),
      grants: sum('granted', currency, tally => tally.count),
    };
  });
}

function webhooksOf(
  providers: readonly string[],
  orders: CountedSource,
  events: CountedSource,
  failures: Awaited<ReturnType<typeof readSignatureFailures>>,
): ProviderWebhooks[] {
  const isWebhook = ({ kind, key }: Counted) => kind === 'event' && key.startsWith('webhook:');
  const heard = events.ever.filter(isWebhook);
  const names = [
    ...new Set([...providers, ...heard.map(tally => tally.provider), ...failures.map(one => one.provider)]),
  ];
  return names.sort().map(provider => {
    const mine = (tally: Counted) => tally.provider === provider;
    const failed = failures.find(one => one.provider === provider);
    return {
      provider,
      lastAt: latest(heard.filter(mine).map(tally => tally.latestAt)),
      verdicts: summedBy(
        events.recent.filter(tally => mine(tally) && isWebhook(tally)),
        verdictOf,
      ),
      lags: summedBy(
        orders.recent.filter(tally => mine(tally) && tally.kind === 'lag'),
        ({ key }) => key,
      ),
      signatureFailures: failed?.failures ?? 0,
      lastFailureAt: failed?.latestAt ?? null,
    };
  });
}

const verdictOf = ({ key }: Pick<Counted, 'key'>) => key.slice(key.indexOf(':') + 1);
const latest = (instants: readonly (Date | null)[]): Date | null =>
  instants.reduce((last, at) => (at && (!last || at > last) ? at : last), null);

function summedBy<T extends { count: number }>(tallies: readonly T[], nameOf: (tally: T) => string) {
  const sums = new Map<string, number>();
  for (const tally of tallies) sums.set(nameOf(tally), (sums.get(nameOf(tally)) ?? 0) + tally.count);
  // A verdict that turned into another one leaves a nought behind.
  return new Map([...sums].filter(([, count]) => count !== 0));
}

type InStep = { bucketAt: Date; kind: string; key: string; count: number };

function stepsOf(tallies: readonly InStep[], first: Date, stepMs: number, steps: number): Step[] {
  const byStep = new Map<number, InStep[]>();
  for (const tally of tallies) {
    const step = floorTo(tally.bucketAt, stepMs);
    const there = byStep.get(step);
    if (there) there.push(tally);
    else byStep.set(step, [tally]);
  }
  return Array.from({ length: steps }, (_, index) => {
    const at = new Date(first.getTime() + index * stepMs);
    const here = byStep.get(at.getTime()) ?? [];
    const entered = (state: string) =>
      here.reduce((total, { kind, key, count }) => {
        if (kind !== 'order') return total;
        const [from, to] = sidesOf(key);
        return to === state && from !== state ? total + count : total;
      }, 0);
    const created = here.reduce(
      (total, { kind, key, count }) => (kind === 'order' && key.startsWith('>') ? total + count : total),
      0,
    );
    const events = here.filter(({ kind }) => kind === 'event');
    return {
      at,
      created,
      subscribed: entered('subscribed'),
      failed: entered('failed'),
      verdicts: summedBy(events, verdictOf),
    };
  });
}
