// The order chart as a Mermaid diagram, drawn from the chart itself so that it cannot lie; documents hold it between two
// markers, and a test compares.
import { orderChart } from './order.ts';

export const DIAGRAM_START = '<!-- diagram -->';
export const DIAGRAM_END = '<!-- /diagram -->';

/** One arrow: what is told, and under which condition. */
type Arrow = { from: string; to: string; told: string; guard: string | null };

/** `stateDiagram-v2` of every way from one state to another; answers that stay where they are would only hide them. */
export function orderDiagram(): string {
  const lines = [...byWay(arrows())].map(([way, merged]) => `  ${way} : ${labels(merged).join('<br/>')}`);
  return ['stateDiagram-v2', '  direction LR', `  [*] --> ${orderChart.config.initial} : order.created`, ...lines].join(
    '\n',
  );
}

/** The document with the present diagram between its markers. @throws Error when it has no markers */
export function withDiagram(document: string): string {
  const start = document.indexOf(DIAGRAM_START);
  const end = document.indexOf(DIAGRAM_END);
  if (start < 0 || end < start) throw new Error(`no ${DIAGRAM_START} … ${DIAGRAM_END} in the document`);
  const block = `${DIAGRAM_START}\n\`\`\`mermaid\n${orderDiagram()}\n\`\`\`\n`;
  return document.slice(0, start) + block + document.slice(end);
}

function arrows(): Arrow[] {
  return Object.values(orderChart.states).flatMap(state =>
    [state.always ?? [], ...state.transitions.values()].flatMap(cell =>
      cell.flatMap(({ target, reenter, eventType, guard }, place) =>
        (target ?? [])
          // A target that is not entered anew is an answer like any other.
          .filter(({ key }) => key !== state.key || reenter)
          .map(({ key }) => ({ from: state.key, to: key, told: wordFor(eventType), guard: condition(guard, place) })),
      ),
    ),
  );
}

/** The last of several ways has no guard of its own: it is taken when none before it was. */
function condition(guard: unknown, place: number): string | null {
  if (typeof guard === 'string') return words(guard);
  return place > 0 ? 'otherwise' : null;
}

function byWay(all: Arrow[]): Map<string, Arrow[]> {
  const ways = new Map<string, Arrow[]>();
  for (const arrow of all) {
    const way = `${arrow.from} --> ${arrow.to}`;
    ways.set(way, [...(ways.get(way) ?? []), arrow]);
  }
  return ways;
}

/** One label for all events under the same conditions. */
function labels(merged: Arrow[]): string[] {
  const conditions = new Map<string, string[]>();
  for (const { told, guard } of merged)
    conditions.set(told, [...(conditions.get(told) ?? []), ...(guard ? [guard] : [])]);
  const events = new Map<string, string[]>();
  for (const [told, guards] of conditions) {
    const under = guards.length > 0 ? ` [${[...new Set(guards)].join(' or ')}]` : '';
    events.set(under, [...(events.get(under) ?? []), told]);
  }
  return [...events].map(([under, told]) => `${told.join(', ')}${under}`.trim());
}

/** A timer's event is `xstate.after.<delay>.<chart>.<state>`; an eventless way has no name. */
function wordFor(eventType: string): string {
  const timer = /^xstate\.after\.([^.]+)\./.exec(eventType)?.[1];
  return timer ? `after ${words(timer)}` : eventType;
}

const words = (name: string) => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
