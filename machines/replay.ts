// Replays an order: its stored events go through its chart once more, one after the other. The result must be what is
// stored; where it is not, each place that differs is named. The integrity check and the inspector share this function, so
// that both see the same.
import { contextDiff, type Difference } from './contextDiff.ts';
import { begin, type Step, walk } from './decide.ts';
import { orderCreatedSchema, orderEventSchema } from './orderEvents.ts';
import { type LiveOrder, readOrder, SnapshotUnreadable, storedForm } from './snapshot.ts';

/** How many differing paths of a snapshot are told: an order whose replay went another way early differs everywhere. */
const MAX_DIFFERENCES = 20;

/** A transition as its row holds it; `event` is JSON not yet looked at. */
export type StoredTransition = {
  version: number;
  eventType: string;
  event: unknown;
  from: string | null;
  to: string;
  /** ISO 8601 in UTC with milliseconds. */
  at: string;
};

/** What the order's row says of where it stands. */
export type StoredStand = {
  id: string;
  machine: string;
  version: number;
  state: string;
  wakeAt: string | null;
  snapshot: unknown;
};

/** One transition walked again, with what it changed in the order's memory. */
export type ReplayStep = Step & { diff: Difference[] };

/** Stored and replayed part here. `version` is the transition, or null where the order's row is meant. */
export type ReplayMismatch = {
  version: number | null;
  path: string;
  stored: unknown;
  replayed: unknown;
  sentence: string;
};

export type Replay = {
  /** As far as the events could be walked. */
  steps: ReplayStep[];
  /** The first one leads; empty when the replay gives what is stored. */
  mismatches: ReplayMismatch[];
};

/** Walks all transitions of one order, oldest first, and compares each of them and the end with what is stored. */
export function replayOrder(stand: StoredStand, transitions: readonly StoredTransition[]): Replay {
  const steps: ReplayStep[] = [];
  const mismatches: ReplayMismatch[] = [];
  let order: LiveOrder | null = null;
  for (const [index, stored] of transitions.entries()) {
    const expected = index + 1;
    if (stored.version !== expected) {
      mismatches.push(
        atTransition(stored.version, 'version', stored.version, expected, `transition ${expected} is missing`),
      );
      return { steps, mismatches };
    }
    const walked = walkStored(stand, order, stored);
    if (typeof walked === 'string') {
      mismatches.push(atTransition(stored.version, 'event', stored.event, null, walked));
      return { steps, mismatches };
    }
    const { step } = walked;
    const before = order ? order.state.context : {};
    order = walked.order;
    steps.push({ ...step, diff: contextDiff(before, order.state.context) });
    mismatches.push(...transitionMismatches(stored, step));
  }
  if (order) mismatches.push(...standMismatches(stand, order));
  else mismatches.push(atStand('version', stand.version, 0, 'the order has no transitions'));
  return { steps, mismatches };
}

/** Why it cannot be walked, as a sentence, or the step it makes. */
function walkStored(
  { id, machine }: StoredStand,
  order: LiveOrder | null,
  stored: StoredTransition,
): { order: LiveOrder; step: Step } | string {
  const name = `the event of transition ${stored.version}`;
  try {
    if (!order) {
      const created = orderCreatedSchema.safeParse(stored.event);
      return created.success
        ? begin(id, machine, created.data)
        : `${name} cannot be read: ${firstIssue(created.error)}`;
    }
    const event = orderEventSchema.safeParse(stored.event);
    if (!event.success) return `${name} cannot be read: ${firstIssue(event.error)}`;
    const { order: after, step } = walk(order, event.data);
    if (!step) return `${name}, ${event.data.type}, moves nothing in ${order.state.value}`;
    return { order: after, step };
  } catch (error) {
    return `${name} cannot be walked: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const firstIssue = ({ issues: [issue] }: { issues: { path: PropertyKey[]; message: string }[] }) =>
  `${issue?.path.join('.')} ${issue?.message}`.trim();

function transitionMismatches(stored: StoredTransition, step: Step): ReplayMismatch[] {
  const pairs: [string, unknown, unknown][] = [
    ['eventType', stored.eventType, step.event.type],
    ['from', stored.from, step.from],
    ['to', stored.to, step.to],
    ['at', stored.at, step.event.at],
  ];
  return pairs
    .filter(([, is, ought]) => is !== ought)
    .map(([path, is, ought]) =>
      atTransition(
        stored.version,
        path,
        is,
        ought,
        `transition ${stored.version} is stored with ${NAMES[path]} ${shown(is)}, its event gives ${shown(ought)}`,
      ),
    );
}

const NAMES: Readonly<Record<string, string>> = {
  eventType: 'the event type',
  from: 'the state before',
  to: 'the state after',
  at: 'the instant',
};

function standMismatches(stand: StoredStand, order: LiveOrder): ReplayMismatch[] {
  const replayed = storedForm(order);
  const pairs: [string, unknown, unknown, string][] = [
    ['version', stand.version, order.version, 'the version'],
    ['state', stand.state, replayed.value, 'the state'],
    ['wakeAt', stand.wakeAt, replayed.deadline?.dueAt ?? null, 'the deadline'],
  ];
  const ofRow = pairs
    .filter(([, is, ought]) => is !== ought)
    .map(([path, is, ought, name]) =>
      atStand(path, is, ought, `the order is stored with ${name} ${shown(is)}, the replay gives ${shown(ought)}`),
    );
  return [...ofRow, ...snapshotMismatches(stand, replayed)];
}

function snapshotMismatches(stand: StoredStand, replayed: ReturnType<typeof storedForm>): ReplayMismatch[] {
  try {
    const read = storedForm(readOrder(stand));
    // What the schema adds to an older snapshot is no difference; what it drops or changes is.
    const odd = contextDiff(read, stand.snapshot).filter(({ after }) => after !== null);
    const found = [
      ...contextDiff(read, replayed),
      ...odd.map(({ path, before, after }) => ({ path, before: after, after: before })),
    ];
    return found
      .slice(0, MAX_DIFFERENCES)
      .map(({ path, before, after }) =>
        atStand(
          `snapshot.${path}`,
          before,
          after,
          `the snapshot is stored with ${path} ${shown(before)}, the replay gives ${shown(after)}`,
        ),
      );
  } catch (error) {
    if (!(error instanceof SnapshotUnreadable)) throw error;
    return [atStand('snapshot', null, null, error.message)];
  }
}

/** Longest value told in a sentence, in characters; the value itself stands beside it in full. */
const MAX_SHOWN = 80;
function shown(value: unknown): string {
  const text =
    value === null || value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

const atTransition = (version: number, path: string, stored: unknown, replayed: unknown, sentence: string) => ({
  version,
  path,
  stored,
  replayed,
  sentence,
});
const atStand = (path: string, stored: unknown, replayed: unknown, sentence: string): ReplayMismatch => ({
  version: null,
  path,
  stored,
  replayed,
  sentence,
});
