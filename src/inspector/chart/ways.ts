// A chart as a picture needs it: its states, and one way from each state to each other, however many events take it.
import { arrowsOf } from '../../../machines/arrows.ts';
import { chartOf } from '../../../machines/versions.ts';

/** `told` lists the events that take this way, each with the conditions under which it does. */
export type Way = { from: string; to: string; told: { event: string; conditions: string[] }[] };
export type Chart = { initial: string; states: readonly string[]; ways: readonly Way[] };

const charts = new Map<string, Chart>();

/** Null when no chart of that name is registered here. */
export function chartNamed(machineId: string): Chart | null {
  const known = charts.get(machineId);
  if (known) return known;
  const chart = chartOf(machineId);
  if (!chart) return null;
  const read: Chart = {
    initial: String(chart.config.initial),
    states: Object.keys(chart.states),
    ways: waysOf(arrowsOf(chart)),
  };
  charts.set(machineId, read);
  return read;
}

function waysOf(arrows: ReturnType<typeof arrowsOf>): Way[] {
  const ways = new Map<string, Way>();
  for (const { from, to, told, guard } of arrows) {
    const way = ways.get(`${from} ${to}`) ?? { from, to, told: [] };
    ways.set(`${from} ${to}`, way);
    let entry = way.told.find(({ event }) => event === told);
    if (!entry) {
      entry = { event: told, conditions: [] };
      way.told.push(entry);
    }
    if (guard && !entry.conditions.includes(guard)) entry.conditions.push(guard);
  }
  return [...ways.values()];
}

/** `payment.captured (fits and pays), after capture window (otherwise)` */
export function wayInWords({ told }: Way): string {
  return told
    .map(({ event, conditions }) => [event || 'at once', conditions.length > 0 && `(${conditions.join(' or ')})`])
    .map(parts => parts.filter(Boolean).join(' '))
    .join(', ');
}
