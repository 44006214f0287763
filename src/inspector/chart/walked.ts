// What an order has walked of its chart, from its transitions: which ways in which order, which states when.

export type Walk = { from: string | null; to: string; version: number; event?: string };
export type Visit = { state: string; at: string };

type Transition = { version: number; from: string | null; to: string; at: string; type?: string };

/** The path and the visits of a chart, oldest first. A transition that stays where it is walks, but enters nothing. */
export function walkedBy(transitions: readonly Transition[]): { path: Walk[]; visited: Visit[] } {
  return {
    path: transitions.map(({ from, to, version, type }) => ({ from, to, version, ...(type && { event: type }) })),
    visited: transitions.filter(({ from, to }) => from !== to).map(({ to, at }) => ({ state: to, at })),
  };
}

export type Stay = { state: string; count: number; first: string; last: string };

/** One entry a state, in the order they were first entered. */
export function staysOf(visited: readonly Visit[]): Stay[] {
  const stays = new Map<string, Stay>();
  for (const { state, at } of visited) {
    const known = stays.get(state);
    if (known) Object.assign(known, { count: known.count + 1, last: at });
    else stays.set(state, { state, count: 1, first: at, last: at });
  }
  return [...stays.values()];
}

/** Steps told in the picture's description; who needs more has the list of transitions. */
const STEPS_TOLD = 20;

/** Where the order stands and what path it walked, for those who do not see the picture. */
export function inWords(current: string | null, path: readonly Walk[]): string {
  const stands = current === null ? 'The order stands nowhere yet.' : `The order stands in ${current}.`;
  if (path.length === 0) return `${stands} It has walked nowhere.`;
  const told = path.slice(-STEPS_TOLD).map(({ from, to, version, event }) => {
    const way = from === null ? `into ${to}` : from === to ? `stayed in ${to}` : `from ${from} to ${to}`;
    return `${version}${event ? ` ${event}` : ''} ${way}`;
  });
  const steps = path.length > STEPS_TOLD ? ` ${path.length} steps, the last ${STEPS_TOLD} of them` : '';
  return `${stands} It has walked${steps}: ${told.join(', ')}.`;
}

/** Numbers of one way in a chip: each, or the first and the last with how many there are. */
const NUMBERS_SHOWN = 3;
export function numbers(versions: readonly number[]): string {
  if (versions.length <= NUMBERS_SHOWN) return versions.join(', ');
  const [first = 0, last = 0] = [versions[0], versions.at(-1)];
  const isRun = last - first === versions.length - 1;
  return isRun ? `${first}–${last}` : `${first}…${last} (${versions.length}×)`;
}
