// What an event would meet in the present state: each way it could go, in the order of the chart, with its condition,
// whether that holds now, where the way leads, and which one would be taken. Read from the chart itself, so that what is
// explained is what would happen.
import { requestBeforehand } from './legal.ts';
import type { OrderContext } from './orderContext.ts';
import {
  type DeadEffect,
  isRequestType,
  type OrderEvent,
  type OrderEventType,
  orderEventSchema,
  sendableEvents,
} from './orderEvents.ts';
import type { Answer, MachineVerdict } from './orderSetup.ts';
import { type LiveOrder, stateName } from './snapshot.ts';
import { chartOf } from './versions.ts';

export type SendableType = keyof typeof sendableEvents;
export const SENDABLE_TYPES = Object.keys(sendableEvents) as SendableType[];

/** One way an event may go from the present state. */
export type Candidate = {
  /** The condition by its name in the chart; null where there is none. */
  guard: string | null;
  /** Whether the condition holds now; null when that depends on the event's fields. True without a condition. */
  holds: boolean | null;
  /** The state it leads to; the present one where it stays. */
  to: string;
  verdict: MachineVerdict;
  detail: string | null;
};

export type Explained = {
  type: SendableType;
  from: string;
  candidates: Candidate[];
  /** Index of the candidate that would be taken; null when that depends on the event's fields. */
  taken: number | null;
};

type ChartWay = { guard?: unknown; target?: readonly { key: string }[]; actions: readonly unknown[] };
type Question = (asked: { context: OrderContext; event: OrderEvent }) => boolean;

/** For each event that can be sent: its ways, with what is known before anybody has filled in the event. */
export function explainEvents(order: LiveOrder, dead: readonly DeadEffect[]): Explained[] {
  return SENDABLE_TYPES.map(type => explain(order, type, beforehand(type, dead)));
}

/** The ways of one event that is known whole. @throws Error for an event nobody may send */
export function explainEvent(order: LiveOrder, event: OrderEvent): Explained {
  if (!isSendable(event.type)) throw new Error(`${event.type} is not sent by people`);
  return explain(order, event.type, event);
}

export const isSendable = (type: string): type is SendableType => Object.hasOwn(sendableEvents, type);

function explain(order: LiveOrder, type: SendableType, event: OrderEvent): Explained {
  const chart = chartOf(order.machine);
  if (!chart) throw new Error(`order ${order.id} was read with a chart that is gone`);
  const from = stateName(order);
  const { context } = order.state;
  const ways = (chart.states[from]?.transitions.get(type) ?? []) as unknown as readonly ChartWay[];
  // The engine types each guard by its parameters, of which the chart's have none.
  const questions = chart.implementations.guards as unknown as Readonly<Record<string, Question>>;
  const candidates = ways.map(({ guard, target, actions }): Candidate => {
    const name = typeof guard === 'string' ? guard : null;
    const question = name === null ? undefined : questions[name];
    return {
      guard: name,
      holds: question ? toldOr(() => question({ context, event }), null) : true,
      to: target?.[0]?.key ?? from,
      ...answerOf(actions, context, event),
    };
  });
  const first = candidates.findIndex(({ holds }) => holds !== false);
  return { type, from, candidates, taken: candidates[first]?.holds === true ? first : null };
}

function answerOf(
  actions: readonly unknown[],
  context: OrderContext,
  event: OrderEvent,
): Pick<Candidate, 'verdict' | 'detail'> {
  const said = actions.find(action => (action as { type?: string }).type === 'answer');
  const params = (said as { params?: Answer | ((asked: object) => Answer) } | undefined)?.params;
  if (typeof params !== 'function') return { verdict: params?.verdict ?? 'applied', detail: params?.detail ?? null };
  const known = toldOr(() => params({ context, event }), null);
  // Only the sentence depends on the event's fields, never the verdict.
  const { verdict } = known ?? params({ context, event: { type: event.type } });
  return { verdict, detail: known?.detail ?? null };
}

/** Thrown when a guard reads a field that the event does not have yet. */
class NotToldYet extends Error {}

function toldOr<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof NotToldYet) return otherwise;
    throw error;
  }
}

/**
 * Stands for an event of this type before anybody has filled it in. A request needs no fields to be decided; of a fact
 * only the type is known.
 */
function beforehand(type: SendableType, dead: readonly DeadEffect[]): OrderEvent {
  if (isRequestType(type)) return requestBeforehand(type, dead);
  // The instant plays no part in any condition of these events; any will do.
  return untold({ type, at: '1970-01-01T00:00:00.000Z' });
}

/** An event that throws NotToldYet wherever it is asked for a field of its type that is not known. */
function untold(known: { type: OrderEventType; at: string }): OrderEvent {
  const schema = orderEventSchema.options.find(option => option.shape.type.value === known.type);
  const fields = new Map(Object.entries(schema?.shape ?? {}));
  const isOptional = (name: string) => fields.get(name)?.safeParse(undefined).success ?? false;
  return new Proxy(known as OrderEvent, {
    has(target, name) {
      if (typeof name !== 'string' || name in target || !fields.has(name)) return Reflect.has(target, name);
      if (isOptional(name)) throw new NotToldYet();
      return true;
    },
    get(target, name) {
      if (typeof name === 'string' && !(name in target) && fields.has(name)) throw new NotToldYet();
      return Reflect.get(target, name);
    },
  });
}
