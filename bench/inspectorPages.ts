// What somebody looks at: the addresses that are measured, with ids of the seeded shop put in, another one each time.
import type { Database } from '../db/client.ts';
import { STUCK_CAUSES } from '../db/orders.ts';
import { ORDER_STATES } from '../machines/orderStates.ts';
import { EVENT_VERDICTS, ORDER_VERDICTS } from '../src/inspector/orders/query.ts';
import { PROVIDERS } from './inspectorModels.ts';

/** Ids of each kind that take turns. */
const SAMPLES = 200;
const DAY_MS = 86_400_000;

export type Group = 'overview' | 'orders' | 'search' | 'stuck' | 'events' | 'order' | 'act' | 'live';
export type Page = {
  group: Group;
  name: string;
  address: (turn: number) => string;
  /** Besides those of a browser that goes there. */
  headers?: Record<string, string>;
};

/** Each kind of id with the rows that have one. */
const IDS = {
  order: 'id from orders',
  derived: `id from orders where kind = 'renewal'`,
  providerOrder: 'provider_order_id from orders where provider_order_id is not null',
  subscription: 'provider_subscription_id from orders where provider_subscription_id is not null',
  payment: 'payment_id from payments',
  refund: 'refund_id from refunds',
  dispute: 'dispute_id from disputes',
  user: 'user_id from orders',
  event: 'event_key from inbox',
  key: 'key from idempotency_keys',
  effect: 'id from outbox',
  waitingPayment: `event->>'paymentId' from inbox where verdict = 'unmatched'`,
  place: `provider || ':' || event_key from inbox`,
  foreignPlace: `provider || ':' || event_key from inbox where verdict = 'foreign'`,
  kept: `provider || '/' || event_key from inbox where order_id is null`,
  arrived: `order_id || '/events/' || provider || '/' || event_key from inbox where order_id is not null`,
  parked: `id from orders where state = 'parked'`,
  created: `id from orders where state = 'created' and machine = 'order.v1'`,
  paid: `id from orders where state = 'subscribed' and machine = 'order.v1' and amount_minor > 0`,
  dead: `order_id from outbox where status = 'dead' and order_id is not null`,
} as const;
type Ids = Record<keyof typeof IDS, string[]>;

async function readIds(db: Database): Promise<Ids> {
  const ids: Partial<Ids> = {};
  for (const [name, from] of Object.entries(IDS)) {
    const rows = await db.query<{ id: string }>(
      `select id from (select ${from.replace(' from', ' as id from')}) x order by md5(id) limit ${SAMPLES}`,
      [],
    );
    ids[name as keyof Ids] = rows.map(({ id }) => id);
  }
  return ids as Ids;
}

/** Filters together as somebody sets them, the unlucky ones among them: what fits hardly any order, or none. */
const COMBINATIONS = [
  'state=failed&provider=stripe',
  'state=subscribed&provider=razorpay&verdict=duplicate',
  'state=refunded&provider=razorpay',
  'state=created&provider=razorpay',
  'state=parked&provider=sandbox&verdict=mismatch',
  'state=subscribed&verdict=surplus',
  'state=refunded&verdict=surplus',
  'provider=nobody',
  'cause=any&provider=stripe',
  'cause=effect_dead&state=subscribed&verdict=applied',
  'verdict=stale&provider=razorpay',
];

export async function pagesOf(db: Database, now: Date): Promise<Page[]> {
  const ids = await readIds(db);
  const at = (name: keyof Ids) => (turn: number) => encodeURIComponent(ids[name][turn % ids[name].length] ?? 'none');
  const placeAt = (name: 'place' | 'foreignPlace') => (turn: number) =>
    Buffer.from(ids[name][turn % ids[name].length] ?? '').toString('base64url');
  const pages = [
    ...overview,
    ...lists(at, now),
    ...searches(at),
    ...stuck,
    ...events(placeAt, ids),
    ...orderPages(at, ids),
    ...acts(at),
  ].map(([group, name, address]): Page => ({ group, name, address }));
  return [...pages, ...refetched(pages)];
}

type Entry = [Group, string, Page['address']];
type At = (name: keyof Ids) => (turn: number) => string;

const overview: Entry[] = [
  ['overview', '24 hours', () => '/inspector'],
  ['overview', '30 days', () => '/inspector?span=30d'],
];
const stuck: Entry[] = ['', ...STUCK_CAUSES].map(cause => [
  'stuck',
  cause || 'every cause',
  () => `/inspector/stuck${cause && `?cause=${cause}`}`,
]);

function lists(at: At, now: Date): Entry[] {
  const list = (name: string, query: (turn: number) => string): Entry => [
    'orders',
    name,
    turn => `/inspector/orders?${query(turn)}`,
  ];
  const day = (turn: number) => new Date(now.getTime() - (1 + turn * 3) * DAY_MS).toISOString().slice(0, 16);
  const one = (name: string, values: readonly string[]) =>
    values.map(value => list(`${name}=${value}`, () => `${name}=${value}`));
  const cursor = at('order');
  return [
    list('all', () => ''),
    list('all, deep', turn => `cursor=${cursor(turn)}`),
    list('all, deep, towards newer', turn => `dir=newer&cursor=${cursor(turn)}`),
    ...one('state', ORDER_STATES),
    ...one('provider', PROVIDERS),
    ...one('verdict', ORDER_VERDICTS),
    ...one('cause', ['any', ...STUCK_CAUSES]),
    list('from a day on', turn => `from=${day(turn)}`),
    list('before a day', turn => `to=${day(turn)}`),
    list('within a day', turn => `from=${day(turn + 1)}&to=${day(turn)}`),
    ...COMBINATIONS.map(query => list(query.replaceAll('&', ', '), () => query)),
    list('state=failed, deep', turn => `state=failed&cursor=${cursor(turn)}`),
    list('state=created, provider=razorpay, deep', turn => `state=created&provider=razorpay&cursor=${cursor(turn)}`),
    list('state=refunded, before a day', turn => `state=refunded&to=${day(turn)}`),
    list('verdict=duplicate, deep', turn => `verdict=duplicate&cursor=${cursor(turn)}`),
  ];
}

function searches(at: At): Entry[] {
  const search = (name: string, q: (turn: number) => string, more = ''): Entry => [
    'search',
    name,
    turn => `/inspector/orders?q=${q(turn)}${more}`,
  ];
  const hits = [
    'order',
    'derived',
    'providerOrder',
    'subscription',
    'payment',
    'refund',
    'dispute',
    'user',
    'event',
    'key',
    'effect',
  ] as const;
  return [
    ...hits.map(name => search(name, at(name))),
    search('payment of nobody yet', at('waitingPayment')),
    search('user with thousands of orders', () => 'user_whale'),
    search('the same, state=created', () => 'user_whale', '&state=created'),
    search('the same, cause=any', () => 'user_whale', '&cause=any'),
    search('beginning of an id', turn => at('order')(turn).slice(0, 12)),
    search('short beginning', () => 'ord_01'),
    search('nothing: a payment', turn => `pay_nobody${turn}`),
    search('nothing: an order', turn => `ord_${String(turn).padStart(26, '0')}`),
    search('nothing: a beginning', turn => `ord_zzz${turn}`),
    search('nothing: anything', turn => `%25' or 1=1 -- ${turn}`),
  ];
}

function events(placeAt: (name: 'place' | 'foreignPlace') => (turn: number) => string, { kept }: Ids): Entry[] {
  const list = (name: string, query: (turn: number) => string): Entry => [
    'events',
    name,
    turn => `/inspector/events?${query(turn)}`,
  ];
  return [
    ...[...EVENT_VERDICTS, 'any'].map(verdict => list(verdict, () => `verdict=${verdict}`)),
    list('any, deep', turn => `verdict=any&cursor=${placeAt('place')(turn)}`),
    list('applied, deep', turn => `verdict=applied&cursor=${placeAt('place')(turn)}`),
    list('foreign, deep', turn => `verdict=foreign&cursor=${placeAt('foreignPlace')(turn)}`),
    list('foreign, provider=razorpay', () => 'verdict=foreign&provider=razorpay'),
    list('applied, provider=nobody', () => 'verdict=applied&provider=nobody'),
    list('any, provider=nobody', () => 'verdict=any&provider=nobody'),
    ['events', 'one without an order', turn => `/inspector/events/${kept[turn % kept.length]}`],
    ['events', 'the same, decided again', turn => `/inspector/events/${kept[turn % kept.length]}/retry`],
    ['events', 'wrong signatures', () => '/inspector/signatures'],
  ];
}

function orderPages(at: At, ids: Ids): Entry[] {
  return [
    ['order', 'its page', turn => `/inspector/orders/${at('order')(turn)}`],
    ['order', 'a renewal', turn => `/inspector/orders/${at('derived')(turn)}`],
    ['order', 'a parked one', turn => `/inspector/orders/${at('parked')(turn)}`],
    ['order', 'an unknown one', turn => `/inspector/orders/ord_${String(turn).padStart(26, '0')}`],
    ['order', 'its events not applied', turn => `/inspector/orders/${at('order')(turn)}?show=unapplied`],
    ['order', 'an event as it arrived', turn => `/inspector/orders/${ids.arrived[turn % ids.arrived.length]}`],
    ['order', 'replay', turn => `/inspector/orders/${at('order')(turn)}/replay`],
    ['order', 'replay, a step', turn => `/inspector/orders/${at('order')(turn)}/replay?step=2`],
  ];
}

/** What somebody asked for, as the form sends it. */
const DRY = 'dry=1&reason=asked+by+the+bench&by=the+bench';

/** Everything up to the button: the dry runs, and what a retry of all of a cause would run. What is behind it is a commit. */
function acts(at: At): Entry[] {
  const act = (name: string, of: keyof Ids, type: string, query = ''): Entry => [
    'act',
    name,
    turn => `/inspector/orders/${at(of)(turn)}/act/${type}${query && `?${query}`}`,
  ];
  return [
    act('form: retry', 'parked', 'retry.requested'),
    act('form: refund', 'paid', 'refund.requested'),
    act('form: captured', 'created', 'payment.captured'),
    act('dry run: retry of a parked one', 'parked', 'retry.requested', DRY),
    act('dry run: retry of a dead effect', 'dead', 'retry.requested', DRY),
    act('dry run: refund', 'paid', 'refund.requested', DRY),
    act('dry run: cancel', 'created', 'cancel.requested', DRY),
    act(
      'dry run: captured',
      'created',
      'payment.captured',
      `${DRY}&paymentId=pay_bench&amountMinor=499.00&currency=INR`,
    ),
    ...STUCK_CAUSES.map(
      (cause): Entry => ['act', `retry all: ${cause}`, () => `/inspector/stuck/retry?cause=${cause}`],
    ),
  ];
}

/** What an open page fetches when it hears of a change, or where it hears nothing: itself, as a part of a page. */
const refetched = (pages: readonly Page[]): Page[] =>
  pages
    .filter(({ name }) => ['24 hours', 'all', 'every cause', 'its page'].includes(name))
    .map(page => ({
      ...page,
      group: 'live',
      name: `again: ${page.group}, ${page.name}`,
      headers: { 'x-fragment': '1' },
    }));
