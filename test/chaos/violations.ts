// What must be true when it is over, asked at three places that know nothing of each other: the provider's ledger, the
// calls that reached it, and our books.
import type postgres from 'postgres';
import { expectSoundBooks } from '../support/databaseChecks.ts';
import type { FaultyProxy } from '../support/faultyProxy.ts';
import { PRICE, type Purchase } from './customers.ts';
import { askedOf, type LedgerPayment } from './ledger.ts';
import type { LogCounts } from './logCounts.ts';

/** Of one rule, named at most. */
const NAMED = 5;

export type Expected = {
  purchases: readonly Purchase[];
  /** Minor units that were asked back, by our order id. */
  refunds: ReadonlyMap<string, number>;
  /** Orders the service itself calls stuck. */
  stuck: readonly string[];
};
type Seen = { orders: number; sql: postgres.Sql; proxy: FaultyProxy; logs: LogCounts };

/** One sentence a violated rule; none when all is well. */
export async function violationsOf(seen: Seen, expected: Expected, ledger: LedgerPayment[]): Promise<string[]> {
  const { purchases, refunds, stuck } = expected;
  const all: [rule: string, broken: string[]][] = [
    ['every customer bought', purchases.length === seen.orders ? [] : [`${purchases.length} of ${seen.orders}`]],
    ...ledgerRules(purchases, refunds, ledger),
    ...callRules(seen.proxy),
    ...(await bookRules(seen.sql, purchases, refunds)),
    ['no order is stuck', [...stuck]],
    ['nothing broke inside', seen.logs.bugs],
  ];
  await expectSoundBooks(seen.sql).catch(error => all.push(['the books are sound', [String(error.message)]]));
  return all
    .filter(([, broken]) => broken.length > 0)
    .map(([rule, broken]) => `${rule}: broken ${broken.length} times: ${broken.slice(0, NAMED).join('; ')}`);
}

type Rules = [string, string[]][];

function ledgerRules(purchases: readonly Purchase[], refunds: Expected['refunds'], ledger: LedgerPayment[]): Rules {
  const byOrder = new Map<string, LedgerPayment[]>();
  for (const payment of ledger) byOrder.set(payment.orderId, [...(byOrder.get(payment.orderId) ?? []), payment]);
  const ofPurchase = purchases.map(purchase => ({ ...purchase, payments: byOrder.get(purchase.orderId) ?? [] }));
  const charges = (payments: LedgerPayment[]) => payments.reduce((sum, payment) => sum + payment.charges, 0);
  const back = (payments: LedgerPayment[]) => payments.flatMap(payment => payment.refunds);
  return [
    [
      'the provider has charged each order once',
      ofPurchase
        .filter(({ payments }) => charges(payments) !== 1 || payments[0]?.state !== 'captured')
        .map(({ orderId, payments }) => `${orderId} ${charges(payments)} times`),
    ],
    ['the provider has payments of no other order', byOrder.size === purchases.length ? [] : [`of ${byOrder.size}`]],
    [
      'the provider has paid back once what was asked for, and nothing else',
      ofPurchase
        .filter(({ orderId, payments }) => {
          const asked = refunds.get(orderId);
          const made = back(payments).filter(({ state }) => state === 'completed');
          return asked === undefined ? back(payments).length > 0 : made.length !== 1 || made[0]?.amountMinor !== asked;
        })
        .map(({ orderId, payments }) => `${orderId} ${JSON.stringify(back(payments))}`),
    ],
  ];
}

/** The sandbox would forgive a second call. Others would not. */
function callRules({ calls }: FaultyProxy): Rules {
  const rules: Rules = [];
  for (const what of ['capture', 'refunds'] as const) {
    const asked = [...askedOf(calls, what).values()];
    rules.push(
      [
        `${what}: never sent again after it was done`,
        asked.filter(({ again }) => again > 0).map(({ paymentId, again }) => `${paymentId} ${again} times more`),
      ],
      [
        `${what}: sent under one key`,
        asked.filter(({ keys }) => keys.size !== 1).map(({ paymentId, keys }) => `${paymentId} ${[...keys].join()}`),
      ],
    );
  }
  return rules;
}

const bookedOnce = (books: readonly Book[], known: ReadonlySet<string>) =>
  books.filter(({ id }) => known.has(id)).length === known.size;

type Book = { id: string; state: string; paid: number; refunded: number; payments: number };

async function bookRules(
  sql: postgres.Sql,
  purchases: readonly Purchase[],
  refunds: Expected['refunds'],
): Promise<Rules> {
  const books = await sql<Book[]>`
    select o.id, o.state, coalesce(sum(p.captured_minor), 0)::int as paid, coalesce(sum(p.refunded_minor), 0)::int as refunded,
      count(p)::int as payments
    from orders o left join payments p on p.order_id = o.id group by o.id`;
  const known = new Set(purchases.map(({ orderId }) => orderId));
  const wrong = books.filter(({ id, state, paid, refunded, payments }) => {
    const back = refunds.get(id) ?? 0;
    const ends = back >= PRICE.amountMinor ? 'refunded' : 'subscribed';
    // A checkout that expired before it was opened: nobody could pay for it.
    if (!known.has(id)) return state !== 'failed' || payments > 0;
    return state !== ends || paid !== PRICE.amountMinor || refunded !== back || payments !== 1;
  });
  const effects = await sql`
    select order_id, effect, status, last_error from outbox where status <> 'done' order by order_id`;
  const inbox = await sql`select event_key, verdict from inbox where verdict in ('unmatched', 'parked', 'illegal')`;
  const findings = await sql`select kind, detail from findings where resolved_at is null`;
  return [
    ['our books have every purchase once', bookedOnce(books, known) ? [] : [`${books.length} orders`]],
    ['each order ended as its money says', wrong.map(book => JSON.stringify(book))],
    ['no effect is pending or dead', effects.map(row => JSON.stringify(row))],
    ['no event is left over', inbox.map(row => JSON.stringify(row))],
    ['nothing was found that nobody resolved', findings.map(row => JSON.stringify(row))],
  ];
}
