// The ways of a chart as arrows, read from the chart itself so that no picture of it can lie.
import type { orderChart } from './order.ts';

/** One arrow: what is told, and under which condition. */
export type Arrow = { from: string; to: string; told: string; guard: string | null };

/** Every way from one state to another, and those that enter a state anew; answers that stay where they are would only hide them. */
export function arrowsOf(chart: typeof orderChart): Arrow[] {
  return Object.values(chart.states).flatMap(state =>
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

/** A timer's event is `xstate.after.<delay>.<chart>.<state>`; an eventless way has no name. */
function wordFor(eventType: string): string {
  const timer = /^xstate\.after\.([^.]+)\./.exec(eventType)?.[1];
  return timer ? `after ${words(timer)}` : eventType;
}

const words = (name: string) => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
