// What the run really met. A fault that never happened proves nothing, so each of these that is claimed must not be zero.
import type postgres from 'postgres';
import type { FaultyProxy, ProxyCall } from '../support/faultyProxy.ts';
import type { Customers } from './customers.ts';
import { askedOf } from './ledger.ts';
import type { LogCounts } from './logCounts.ts';

/** What only the run itself knows. */
export type Marks = { kills: number; deadForOperator: number };
type Met = { sql: postgres.Sql; proxy: FaultyProxy; logs: LogCounts; marks: Marks; customers: Customers };

const MEANS: Record<string, (call: ProxyCall) => boolean> = {
  'answers cut off after success': ({ fault }) => fault === 'lost',
  'time-outs after success': ({ fault }) => typeof fault === 'object' && fault !== null && 'lateMs' in fault,
  '5xx, not done': ({ fault }) => typeof fault === 'number' && fault >= 500,
  '5xx, done all the same': ({ fault }) => typeof fault === 'object' && fault !== null && 'instead' in fault,
  resets: ({ fault }) => fault === 'reset',
  'answers 429': ({ fault }) => fault === 429,
};

export async function countersOf({ sql, proxy, logs, marks, customers }: Met): Promise<Record<string, number>> {
  const { calls } = proxy;
  const captures = [...askedOf(calls, 'capture').values()];
  const refunds = [...askedOf(calls, 'refunds').values()];
  const unanswered = captures.filter(({ wasAnswered }) => !wasAnswered).map(({ paymentId }) => paymentId);
  const learned = await sql<{ source: string; count: number }[]>`
    select t.source, count(*)::int as count from transitions t join payments p on p.order_id = t.order_id
    where t.event_type = 'payment.captured' and p.payment_id = any(${unanswered}) group by t.source`;
  const by = (source: string) => learned.find(row => row.source === source)?.count ?? 0;
  return {
    'calls to the provider': calls.length,
    ...Object.fromEntries(Object.entries(MEANS).map(([name, isIt]) => [name, calls.filter(isIt).length])),
    'captures that moved money': captures.length,
    'captures done without an answer': unanswered.length,
    'of these, look-ups of the capture found it done': by('worker'),
    'of these, reconciliation found it done': by('reconcile'),
    'refunds that moved money': refunds.length,
    'refunds done without an answer': refunds.filter(({ wasAnswered }) => !wasAnswered).length,
    kills: marks.kills,
    'lease takeovers': logs.takeovers(),
    'effects fenced': logs.fenced(),
    'effects dead and revived': logs.dead.size,
    "of these, by their order's deadline": logs.dead.size - marks.deadForOperator,
    'of these, by the operator': marks.deadForOperator,
    'calls to the service made again': customers.repeated(),
    'checkouts that expired unopened': customers.expired(),
  };
}
