// The stored events of an order, through its own chart again, give the stored snapshot; whatever was changed by hand since
// is found and named.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contextDiff, spelledOut } from '../machines/contextDiff.ts';
import { decide, type Step } from '../machines/decide.ts';
import { replayOrder, type StoredStand, type StoredTransition } from '../machines/replay.ts';
import { type LiveOrder, readOrder, stateName, storedForm } from '../machines/snapshot.ts';
import {
  askRefund,
  begin,
  captured,
  committed,
  deadline,
  grantFails,
  ORDER_ID,
  opened,
  orderFor,
  refund,
  stamped,
  type Told,
  tell,
} from './support/given.ts';
import { creations, histories } from './support/histories.ts';

const RUNS = Number(process.env.MACHINE_RUNS ?? 600);
const throughDisk = <T>(value: T): T => JSON.parse(JSON.stringify(value));

type Stored = { stand: StoredStand; transitions: StoredTransition[]; steps: Step[] };

function stored(order: LiveOrder, steps: Step[]): Stored {
  return {
    steps,
    stand: {
      id: order.id,
      machine: order.machine,
      version: order.version,
      state: stateName(order),
      wakeAt: order.deadline?.dueAt ?? null,
      snapshot: throughDisk(storedForm(order)),
    },
    transitions: steps.map(({ event, version, from, to }) => ({
      version,
      eventType: event.type,
      event: throughDisk(event),
      from,
      to,
      at: event.at,
    })),
  };
}

function lifeOf(...history: Told[]): Stored {
  let { world, decision } = begin(orderFor());
  const steps = [...decision.steps];
  for (const told of [opened, ...history]) {
    ({ world, decision } = tell(world, told));
    steps.push(...decision.steps);
  }
  return stored(world.order, steps);
}

describe('any life of an order', () => {
  test('replays to the stored snapshot, each transition with the effects it asked for, also where a grant could not be written at first', () => {
    fc.assert(
      fc.property(creations, histories, fc.infiniteStream(fc.boolean()), (created, history, grantFailing) => {
        const refuses = grantFailing[Symbol.iterator]();
        const born = begin(created);
        let { world } = born;
        const steps = [...born.decision.steps];
        for (const told of history) {
          const decision = decide(world.order, stamped(told, world.order), world.subscription);
          const cut = decision.steps.findIndex(step => step.event.type === 'grant.recorded');
          const prefix = cut > 0 && refuses.next().value ? decision.steps.slice(0, cut) : null;
          const last = prefix?.at(-1);
          steps.push(...(prefix ?? decision.steps));
          world = last
            ? {
                ...world,
                order: readOrder({
                  id: ORDER_ID,
                  machine: world.order.machine,
                  version: last.version,
                  snapshot: last.snapshot,
                }),
              }
            : committed(world, decision);
        }
        const life = stored(world.order, steps);
        const replay = replayOrder(life.stand, life.transitions);
        expect(replay.mismatches).toEqual([]);
        expect(throughDisk(replay.steps.at(-1)?.snapshot)).toEqual(life.stand.snapshot);
        replay.steps.forEach((step, index) => {
          expect(throughDisk(step.snapshot)).toEqual(throughDisk(steps[index]?.snapshot));
          expect(step.wakeAt).toEqual(steps[index]?.wakeAt);
          // What the grant itself tells depends on the subscription, which is not the order's.
          if (step.event.type !== 'grant.recorded') expect(step.effects).toEqual(steps[index]?.effects);
        });
      }),
      { numRuns: RUNS },
    );
  });

  test('is found out when any number or name in its snapshot was changed', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (history, pick) => {
        const life = lifeOf(...history);
        const leaves = leavesOf(life.stand.snapshot);
        const [path = '', value] = leaves[pick % leaves.length] ?? [];
        const snapshot = withLeaf(life.stand.snapshot, path, tampered(value));
        const { mismatches } = replayOrder({ ...life.stand, snapshot }, life.transitions);
        expect(mismatches.length, path).toBeGreaterThan(0);
        const [first] = mismatches;
        if (first?.path !== 'snapshot') expect(mismatches.map(found => found.path)).toContain(`snapshot.${path}`);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('a life that was changed by hand', () => {
  const paid = () => lifeOf(captured('pay_1'));

  test('names the path of the snapshot and both values', () => {
    const { stand, transitions } = paid();
    const snapshot = withLeaf(stand.snapshot, 'context.payments.0.amountMinor', 1);
    expect(replayOrder({ ...stand, snapshot }, transitions).mismatches).toEqual([
      {
        version: null,
        path: 'snapshot.context.payments.0.amountMinor',
        stored: 1,
        replayed: 49_900,
        sentence: 'the snapshot is stored with context.payments.0.amountMinor 1, the replay gives 49900',
      },
    ]);
  });

  test('names the transition whose event was changed so that it leads elsewhere', () => {
    const { stand, transitions } = paid();
    const edited = transitions.map(t =>
      t.version === 3 ? { ...t, event: { ...(t.event as object), amountMinor: 1 } } : t,
    );
    const [first] = replayOrder(stand, edited).mismatches;
    expect(first).toMatchObject({ version: 3, path: 'to', stored: 'captured', replayed: 'parked' });
    expect(first?.sentence).toBe('transition 3 is stored with the state after captured, its event gives parked');
  });

  test('names a changed event that leads to the same state by what it changes in the snapshot', () => {
    const { stand, transitions } = paid();
    const edited = transitions.map(t =>
      t.version === 3 ? { ...t, event: { ...(t.event as object), paymentId: 'pay_2' } } : t,
    );
    expect(replayOrder(stand, edited).mismatches.map(({ path }) => path)).toEqual([
      'snapshot.context.payments.0.paymentId',
    ]);
  });

  test.each([
    ['one was taken out', (all: StoredTransition[]) => all.toSpliced(1, 1), 'transition 2 is missing'],
    [
      'the last one was taken out',
      (all: StoredTransition[]) => all.slice(0, -1),
      'the order is stored with the version 4, the replay gives 3',
    ],
    ['none is left', () => [], 'the order has no transitions'],
    [
      'one cannot be read',
      (all: StoredTransition[]) =>
        all.with(2, { ...(all[2] as StoredTransition), event: { type: 'payment.captured' } }),
      /^the event of transition 3 cannot be read: at /,
    ],
    [
      'one is the engine’s own',
      (all: StoredTransition[]) =>
        all.with(2, {
          ...(all[2] as StoredTransition),
          event: { type: 'xstate.after.paymentWindow.order.v1.created', at: '2026-01-31T10:00:00.000Z' },
        }),
      /^the event of transition 3 cannot be read: type /,
    ],
    [
      'one moves nothing',
      (all: StoredTransition[]) => all.with(2, { ...(all[1] as StoredTransition), version: 3 }),
      'the event of transition 3, checkout.opened, moves nothing in created',
    ],
    [
      'one was told at another time',
      (all: StoredTransition[]) => all.with(2, { ...(all[2] as StoredTransition), at: '2026-02-01T00:00:00.000Z' }),
      /^transition 3 is stored with the instant 2026-02-01/,
    ],
  ])('says so when, of its transitions, %s', (_, edit, sentence) => {
    const { stand, transitions } = paid();
    expect(replayOrder(stand, edit(transitions)).mismatches[0]?.sentence).toMatch(sentence);
  });

  test('says so when the row’s state, version or deadline is not the snapshot’s', () => {
    const { stand, transitions } = lifeOf();
    const moved = { ...stand, state: 'subscribed', version: 9, wakeAt: null };
    expect(replayOrder(moved, transitions).mismatches.map(({ path }) => path)).toEqual(['version', 'state', 'wakeAt']);
  });

  test('says so when its snapshot cannot be read, or its chart is gone', () => {
    const { stand, transitions } = paid();
    expect(replayOrder({ ...stand, snapshot: { value: 'nowhere' } }, transitions).mismatches[0]?.sentence).toMatch(
      /its snapshot does not fit/,
    );
    expect(replayOrder({ ...stand, machine: 'order.v0' }, transitions).mismatches[0]?.sentence).toMatch(
      /no chart named order\.v0 is registered/,
    );
  });
});

test('an older snapshot that lacks what the schema has added since is no difference', () => {
  const { stand, transitions } = lifeOf(captured('pay_1'));
  const { passedOn: _, ...context } = (stand.snapshot as { context: { payments: object[]; passedOn: unknown } })
    .context;
  const payments = context.payments.map(payment => ({ ...payment, asked: undefined }));
  const snapshot = throughDisk({ ...(stand.snapshot as object), context: { ...context, payments } });
  expect(replayOrder({ ...stand, snapshot }, transitions).mismatches).toEqual([]);
});

test('each step tells what it changed, what it waits for and what it asks to be done', () => {
  const { stand, transitions } = lifeOf(grantFails(captured('pay_1')), deadline(), askRefund(), refund('pay_1'));
  const { steps, mismatches } = replayOrder(stand, transitions);
  expect(mismatches).toEqual([]);
  expect(steps.map(({ from, to }) => `${from} → ${to}`)).toEqual([
    'null → created',
    'created → created',
    'created → captured',
    'captured → captured',
    'captured → subscribed',
    'subscribed → subscribed',
    'subscribed → refunded',
  ]);
  expect(steps[1]?.diff.map(({ path }) => path)).toEqual(['providerOrderId', 'checkoutUrl']);
  expect(steps[3]?.diff).toEqual([{ path: 'grantTries', before: 0, after: 1 }]);
  expect(steps[4]?.diff).toEqual([{ path: 'granted', before: false, after: true }]);
  expect(steps[2]?.snapshot.deadline?.id).toBe('grantOverdue');
  expect(steps[5]?.effects.map(({ effect }) => effect)).toEqual(['refund']);
});

describe('the difference of two contexts', () => {
  test('is told path by path, and nothing where both are the same', () => {
    expect(contextDiff({ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 })).toEqual([]);
    expect(contextDiff({ a: 1, list: [{ x: 1 }] }, { a: 2, list: [{ x: 1 }, { x: 2 }] })).toEqual([
      { path: 'a', before: 1, after: 2 },
      { path: 'list.1', before: null, after: { x: 2 } },
    ]);
  });
  test('takes what is missing and null as the same, a list and an object not', () => {
    expect(contextDiff({ a: null }, {})).toEqual([]);
    expect(contextDiff({ a: [] }, { a: {} })).toEqual([{ path: 'a', before: [], after: {} }]);
  });
  test('spelled out, what came or went is told value by value, what is empty as it is', () => {
    const before = { gone: { a: 1 }, same: 1, list: [] as object[] };
    const after = { same: 2, list: [{ id: 'x', more: { deep: true, none: null }, empty: [] }] };
    expect(spelledOut(contextDiff(before, after))).toEqual([
      { path: 'gone.a', before: 1, after: null },
      { path: 'same', before: 1, after: 2 },
      { path: 'list.0.id', before: null, after: 'x' },
      { path: 'list.0.more.deep', before: null, after: true },
      { path: 'list.0.empty', before: null, after: [] },
    ]);
  });
  test('takes names that every object has as ordinary ones', () => {
    expect(contextDiff({}, { constructor: 'x' })).toEqual([{ path: 'constructor', before: null, after: 'x' }]);
  });
});

/** Every value of a snapshot that is neither an object nor a list, with its path. */
function leavesOf(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return value === null ? [] : [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, path ? `${path}.${name}` : name));
}

function withLeaf(value: unknown, path: string, leaf: unknown): unknown {
  const copy = throughDisk(value);
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce((inner, name) => inner[name] as Record<string, unknown>, copy as Record<string, unknown>);
  holder[last] = leaf;
  return copy;
}

const tampered = (value: unknown) =>
  typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value}x`;
