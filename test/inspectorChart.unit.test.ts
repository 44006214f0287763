// The statechart as a picture: all of the machine, nothing over anything else, the path in its order; and whatever is
// stored is text.
import { describe, expect, test } from 'vitest';
import { ORDER_MACHINE_ID } from '../machines/order.ts';
import { ORDER_STATES } from '../machines/orderStates.ts';
import { alongLine, type Box, overlaps } from '../src/inspector/chart/curve.ts';
import { labelsOf } from '../src/inspector/chart/labels.ts';
import { layoutOf } from '../src/inspector/chart/layout.ts';
import { type OrderChart, orderChartSvg } from '../src/inspector/chart/orderChart.ts';
import { inWords, numbers, staysOf, walkedBy } from '../src/inspector/chart/walked.ts';
import { chartNamed } from '../src/inspector/chart/ways.ts';
import { stepLinks } from '../src/inspector/replay/model.ts';

const AT = Date.UTC(2026, 0, 31, 10);
const SHAPES = ['wide', 'tall'] as const;
type Told = [event: string, from: string | null, to: string];

const life = (...told: Told[]) =>
  walkedBy(
    told.map(([type, from, to], index) => ({
      version: index + 1,
      type,
      from,
      to,
      at: new Date(AT + index * 4_000).toISOString(),
    })),
  );
const PAID = life(
  ['order.created', null, 'created'],
  ['checkout.opened', 'created', 'created'],
  ['payment.failed', 'created', 'failed'],
  ['payment.captured', 'failed', 'captured'],
  ['grant.recorded', 'captured', 'subscribed'],
);
const drawn = (more: Partial<OrderChart> = {}) =>
  String(orderChartSvg({ machineId: ORDER_MACHINE_ID, current: 'subscribed', ...PAID, ...more }));
const parts = (text: string, what: RegExp) => [...text.matchAll(what)].map(([, part]) => part);

describe('the layout of the order chart', () => {
  const chart = chartNamed(ORDER_MACHINE_ID)!;

  test.each(SHAPES)('%s: has every state and every way of the machine within the picture', shape => {
    const { states, ways, width, height } = layoutOf(ORDER_MACHINE_ID, shape)!;
    expect([...states.keys()].sort()).toEqual([...ORDER_STATES].sort());
    for (const { from, to } of chart.ways)
      expect(ways.get(`${from} ${to}`)?.length, `${from} → ${to}`).toBeGreaterThan(1);
    for (const { x, y } of [...ways.values()].flat()) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(width);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(height);
    }
  });

  test.each(SHAPES)('%s: no state lies over another, and no way runs through a state that is not its own', shape => {
    const { states, ways } = layoutOf(ORDER_MACHINE_ID, shape)!;
    for (const [a, one] of states)
      for (const [b, other] of states) if (a !== b) expect(overlaps(one, other), `${a} over ${b}`).toBe(false);
    for (const [name, line] of ways) {
      for (const [state, { left, top, width, height }] of states) {
        if (name.split(' ').includes(state)) continue;
        const through = line.filter(({ x, y }) => x > left && x < left + width && y > top && y < top + height);
        expect(through, `${name} through ${state}`).toEqual([]);
      }
    }
  });

  test.each(SHAPES)('%s: a way begins at its first state and ends at its second', shape => {
    const { states, ways } = layoutOf(ORDER_MACHINE_ID, shape)!;
    const near = ({ left, top, width, height }: Box, { x, y }: { x: number; y: number }) =>
      x >= left - 1 && x <= left + width + 1 && y >= top - 1 && y <= top + height + 1;
    for (const [name, line] of ways) {
      const [from = '', to = ''] = name.split(' ');
      expect(near(states.get(from)!, line[0]!), `${name} begins`).toBe(true);
      expect(near(states.get(to)!, line.at(-1)!), `${name} ends`).toBe(true);
    }
  });

  test('the main line is one straight line', () => {
    const { states } = layoutOf(ORDER_MACHINE_ID, 'wide')!;
    expect(new Set(['created', 'authorized', 'captured', 'subscribed'].map(state => states.get(state)?.top)).size).toBe(
      1,
    );
  });

  test('both shapes fit their screens: 1280 px without a scroll bar, 390 px at a readable size', () => {
    expect(layoutOf(ORDER_MACHINE_ID, 'wide')!.width).toBeLessThan(1_280);
    expect(layoutOf(ORDER_MACHINE_ID, 'tall')!.width).toBeLessThan(400);
  });

  test('is worked out once', () => {
    expect(layoutOf(ORDER_MACHINE_ID, 'wide')).toBe(layoutOf(ORDER_MACHINE_ID, 'wide'));
  });

  test('every way at once still has its number on its line, over no state and no other number', () => {
    const { states, ways } = layoutOf(ORDER_MACHINE_ID, 'wide')!;
    const all = chart.ways.map(({ from, to }, index) => ({
      kind: 'walked' as const,
      line: ways.get(`${from} ${to}`)!,
      title: '',
      versions: [index],
      chip: String(index),
      told: 'payment.authorized',
    }));
    const labels = labelsOf(all, [...states.values()], true);
    expect(labels).toHaveLength(all.length);
    for (const [index, label] of labels.entries())
      for (const other of [...labels.slice(index + 1).map(({ box }) => box), ...states.values()])
        expect(overlaps(label.box, other), `${label.text}`).toBe(false);
  });
});

describe('the picture', () => {
  test('says in a sentence where the order stands and what path it walked', () => {
    expect(parts(drawn(), /<desc[^>]*>([^<]*)<\/desc>/g)[0]).toBe(
      'The order stands in subscribed. It has walked: 1 order.created into created, 2 checkout.opened stayed in created, 3 payment.failed from created to failed, 4 payment.captured from failed to captured, 5 grant.recorded from captured to subscribed.',
    );
  });
  test('numbers what was walked in its order, several numbers on one way, and nothing else', () => {
    const again = life(
      ['order.created', null, 'created'],
      ['payment.failed', 'created', 'failed'],
      ['payment.captured', 'failed', 'parked'],
      ['retry.requested', 'parked', 'failed'],
      ['payment.captured', 'failed', 'parked'],
    );
    const marks = parts(drawn({ ...again, current: 'parked' }), /class="number"[^>]*>([^<]*)</g);
    expect(marks.sort()).toEqual(['1', '1', '2', '2', '3, 5', '3, 5', '4', '4']);
  });
  test('lights the present state alone, and marks visited ones with their first and last time and how often', () => {
    const text = drawn();
    expect(parts(text, /class="state current[^"]*"><title>(\w+)/g)).toEqual(['subscribed', 'subscribed']);
    expect(parts(text, /class="state visited"><title>(\w+)/g).sort()).toEqual([
      'captured',
      'captured',
      'created',
      'created',
      'failed',
      'failed',
    ]);
    expect(text).toContain(
      '<title>failed: entered 1×, first 2026-01-31T10:00:08.000Z, last 2026-01-31T10:00:08.000Z</title>',
    );
    expect(parts(text, /class="when"[^>]*>([^<]*)</g).slice(0, 4)).toEqual(['start', '+12 s', '+16 s', '+8 s']);
  });
  test('shows the way being walked, and the way an event would take', () => {
    const text = drawn({ walking: 3, candidates: [{ from: 'subscribed', to: 'refunded' }] });
    expect(parts(text, /class="way now"><title>([^:<]*)/g)).toEqual(['created → failed', 'created → failed']);
    expect(parts(text, /class="way candidate"><title>([^:<]*)/g)).toEqual([
      'subscribed → refunded',
      'subscribed → refunded',
    ]);
    expect(text).toContain('The event would lead from subscribed to refunded.');
    expect(text).toMatch(/class="state unvisited target"><title>refunded/);
  });
  test('lists every way with its events and conditions', () => {
    expect(drawn()).toMatch(
      /<td>authorized<\/td><td>authorized<\/td><td><div><code>after capture window<\/code> <span class="quiet">if may ask again/,
    );
  });
  test('draws a stored way that is not in the chart, and a stored state that is not, without failing', () => {
    const odd = life(['order.created', null, 'created'], ['x', 'created', 'subscribed'], ['y', 'subscribed', 'gone']);
    const text = drawn({ ...odd, current: 'gone' });
    expect(text).toContain('<title>created → subscribed; walked as 2</title>');
    expect(text).toContain('The order stands in gone.');
  });
  test('is told in words when the chart is not registered here', () => {
    expect(drawn({ machineId: 'order.v0' })).toContain(
      'The chart order.v0 is not registered here, so it cannot be drawn. The order stands in subscribed.',
    );
  });
  test('takes hostile names as text', () => {
    const hostile = '"><script>alert(1)</script>';
    for (const machineId of [ORDER_MACHINE_ID, hostile]) {
      const text = drawn({
        machineId,
        current: hostile,
        ...life([hostile, null, 'created'], [hostile, 'created', hostile], [hostile, 'created', 'created']),
      });
      expect(text).not.toContain('<script>');
      expect(text).toContain('&lt;script&gt;');
    }
  });
  test('has no id twice, and none of another picture with its own name', () => {
    const ids = (text: string) => parts(text, / id="([^"]+)"/g);
    const both = [...ids(drawn()), ...ids(drawn({ name: 'dry-run' }))];
    expect(new Set(both).size).toBe(both.length);
  });
});

describe('the words for a path', () => {
  test('a long one is told by its last steps', () => {
    const path = Array.from({ length: 57 }, (_, index) => ({ version: index + 1, from: 'captured', to: 'captured' }));
    expect(inWords('captured', path)).toMatch(
      /^The order stands in captured\. It has walked 57 steps, the last 20 of them: 38 stayed in captured, /,
    );
    expect(numbers(path.map(({ version }) => version))).toBe('1–57');
    expect(inWords(null, [])).toBe('The order stands nowhere yet. It has walked nowhere.');
  });
  test('a state entered again counts, staying in it does not', () => {
    const { visited } = life(
      ['a', null, 'created'],
      ['b', 'created', 'failed'],
      ['c', 'failed', 'failed'],
      ['d', 'failed', 'authorized'],
      ['e', 'authorized', 'failed'],
    );
    expect(staysOf(visited).map(({ state, count }) => [state, count])).toEqual([
      ['created', 1],
      ['failed', 2],
      ['authorized', 1],
    ]);
  });
});

test('steps of a long life are linked around the present one, with its ends', () => {
  expect(stepLinks(1, 3)).toEqual([1, 2, 3]);
  expect(stepLinks(10, 40)).toEqual([1, null, 6, 7, 8, 9, 10, 11, 12, 13, 14, null, 40]);
  expect(stepLinks(40, 40)).toEqual([1, null, 36, 37, 38, 39, 40]);
});

test('the middle of a line is measured along it', () => {
  expect(
    alongLine(
      [
        { x: 0, y: 0 },
        { x: 10, y: 0 },
        { x: 10, y: 30 },
      ],
      0.5,
    ),
  ).toEqual({ x: 10, y: 10 });
});
