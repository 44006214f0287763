// Where the states and ways of a chart stand, worked out once a chart by a library made for graphs. All is computed from
// left to right; the tall picture for narrow screens is the same one turned over its diagonal.
import { graphlib, layout } from '@dagrejs/dagre';
import { type Box, overlaps, type Point, smooth } from './curve.ts';
import { type Chart, chartNamed } from './ways.ts';

export type Shape = 'wide' | 'tall';
export type Layout = {
  width: number;
  height: number;
  states: ReadonlyMap<string, Box>;
  /** The line of each way by `from to`; a state's way to itself is a loop. */
  ways: ReadonlyMap<string, Point[]>;
  /** From nowhere into the first state. */
  start: Point[];
};

/** Measures in px: `along` the order's life and `across` it; `loop` is the room for a way from a state to itself, `label` for what is written above it; `lines` is the space between two lines. */
type Measures = {
  along: number;
  across: number;
  gap: number;
  beside: number;
  lines: number;
  loop: number;
  margin: number;
  label: number;
};
const MEASURES: Readonly<Record<Shape, Measures>> = {
  // The gap holds the name of an event in small type.
  wide: { along: 100, across: 46, gap: 118, beside: 20, lines: 18, loop: 26, margin: 8, label: 16 },
  tall: { along: 46, across: 88, gap: 46, beside: 26, lines: 11, loop: 22, margin: 6, label: 6 },
};
/** How straight a line leaves and enters a box, in px. */
const LEAD = 16;
/** Between a way and the way back, in px. */
const APART = 9;
/** Between the ends of two ways at one side of a box and its corner, in px. */
const CORNER = 8;
/** Length of the line into the first state, in px. */
const START = 30;

/** The states an order walks when all goes well; drawn in one line. */
const MAIN_LINE = ['created', 'authorized', 'captured', 'subscribed'];
/** How much the main line resists being bent, against 1 for any other way. */
const MAIN_WEIGHT = 30;
/** Earlier states stand further left. Ways lead in both directions between most states, so the ways alone give no order. */
const ORDER = ['created', 'authorized', 'failed', 'parked', 'captured', 'subscribed', 'refunded'];
/** Neither comes before the other: they share a column, which keeps the picture narrow. */
const SIDE_BY_SIDE = ['failed', 'parked'];

/** Of the library's four ways to align, the one that lays this chart's main line straight. */
const ALIGN = 'DL';

const layouts = new Map<string, Layout>();

/** Null when no chart of that name is registered here. */
export function layoutOf(machineId: string, shape: Shape): Layout | null {
  const name = `${shape} ${machineId}`;
  const known = layouts.get(name);
  if (known) return known;
  const chart = chartNamed(machineId);
  if (!chart) return null;
  const made = lay(chart, MEASURES[shape], shape === 'tall');
  layouts.set(name, made);
  return made;
}

/** A pair of states with ways between them, the one that stands further left first. */
type Pair = { left: string; right: string; forth: boolean; back: boolean; corners: Point[] };

function lay(chart: Chart, measures: Measures, turned: boolean): Layout {
  const pairs = pairsOf(chart);
  const boxes = place(chart, pairs, measures);
  const ways = new Map<string, Point[]>();
  for (const state of chart.states) ways.set(`${state} ${state}`, loopAt(boxes.get(state) as Box, measures));
  const ends = portsOf(pairs, boxes);
  for (const pair of pairs) {
    for (const way of waysOf(pair)) {
      const line = lineOf(pair, way, boxes, ends);
      ways.set(`${way.from} ${way.to}`, way.from === pair.left ? line : line.toReversed());
    }
  }
  const first = boxes.get(chart.initial) as Box;
  const entry = { x: first.left, y: first.top + first.height / 2 };
  return framed({ boxes, ways, start: [{ x: entry.x - START, y: entry.y }, entry] }, measures, turned);
}

function pairsOf({ states, ways }: Chart): Pair[] {
  const rank = (state: string) => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length + states.indexOf(state));
  const pairs = new Map<string, Pair>();
  for (const { from, to } of ways) {
    if (from === to) continue;
    const forth = rank(from) < rank(to);
    const [left, right] = forth ? [from, to] : [to, from];
    const pair = pairs.get(`${left} ${right}`) ?? { left, right, forth: false, back: false, corners: [] };
    pairs.set(`${left} ${right}`, pair);
    if (forth) pair.forth = true;
    else pair.back = true;
  }
  return [...pairs.values()];
}

const isMain = ({ left, right }: Pair) => {
  const place = MAIN_LINE.indexOf(left);
  return place >= 0 && MAIN_LINE[place + 1] === right;
};
const isBeside = ({ left, right }: Pair) => SIDE_BY_SIDE.includes(left) && SIDE_BY_SIDE.includes(right);

/** Asks the library for the boxes, and for the corners of the lines between them. */
function place(
  { states }: Chart,
  pairs: Pair[],
  { along, across, gap, beside, lines, loop }: Measures,
): Map<string, Box> {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: gap, nodesep: beside, edgesep: lines, align: ALIGN });
  for (const state of [...states].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)))
    graph.setNode(state, { width: along, height: across + loop });
  for (const pair of pairs)
    if (!isBeside(pair)) graph.setEdge(pair.left, pair.right, { weight: isMain(pair) ? MAIN_WEIGHT : 1, minlen: 1 });
  layout(graph);
  for (const pair of pairs) {
    const points: Point[] = isBeside(pair) ? [] : (graph.edge(pair.left, pair.right).points ?? []);
    const corners = points.slice(1, -1).map(({ x, y }) => ({ x, y: y + loop / 2 }));
    // Between neighbours nothing is in the way: the library's one corner would only bend the line.
    pair.corners = corners.length > 1 ? corners : [];
  }
  const boxes = new Map(
    states.map(state => {
      const { x, y } = graph.node(state) as Point;
      return [state, { left: x - along / 2, top: y - across / 2 + loop / 2, width: along, height: across }];
    }),
  );
  straighten(pairs, boxes);
  return boxes;
}

/** What stands alone at the end of all lines is moved beside the main line, and the main line cuts short where nothing is in its way. */
function straighten(pairs: readonly Pair[], boxes: Map<string, Box>): void {
  const main = boxes.get(MAIN_LINE.at(-1) ?? '');
  const last = [...boxes.values()].toSorted((a, b) => a.left - b.left).at(-1);
  if (main && last && [...boxes.values()].filter(({ left }) => left === last.left).length === 1) last.top = main.top;
  for (const pair of pairs.filter(isMain)) {
    const [a, b] = [boxes.get(pair.left), boxes.get(pair.right)];
    if (!a || !b || a.top !== b.top) continue;
    const middle = { top: a.top + a.height / 2 - CORNER, height: 2 * CORNER };
    const between = { left: a.left + a.width, width: b.left - a.left - a.width, ...middle };
    if (![...boxes.values()].some(box => overlaps(between, box))) pair.corners = [];
  }
}

function loopAt({ left, top, width }: Box, { loop }: Measures): Point[] {
  const [x, peak] = [left + width * 0.26, top - loop];
  return smooth([
    { x: x - 8, y: top },
    { x: x - 18, y: peak },
    { x: x + 18, y: peak },
    { x: x + 8, y: top },
  ]);
}

type Direction = { from: string; to: string; shift: number };
const waysOf = ({ left, right, forth, back }: Pair): Direction[] => [
  ...(forth ? [{ from: left, to: right, shift: back ? -APART / 2 : 0 }] : []),
  ...(back ? [{ from: right, to: left, shift: forth ? APART / 2 : 0 }] : []),
];

/** Where each way touches its two boxes, by `side from to`: spread over the side in the order the lines come in. */
function portsOf(pairs: readonly Pair[], boxes: ReadonlyMap<string, Box>): Map<string, number> {
  const ports = new Map<string, number>();
  for (const [state, { top, height }] of boxes) {
    for (const side of ['left', 'right'] as const) {
      const touching = pairs
        .filter(pair => pair[side] === state && !isBeside(pair))
        .flatMap(pair =>
          waysOf(pair).map(({ from, to, shift }) => {
            const corner = side === 'right' ? pair.corners.at(-1) : pair.corners[0];
            const y = corner?.y ?? (boxes.get(side === 'right' ? pair.left : pair.right)?.top ?? top) + height / 2;
            return { name: `${side} ${from} ${to}`, y: y + shift, main: isMain(pair) };
          }),
        )
        .sort((a, b) => a.y - b.y);
      for (const [index, y] of spread(touching, top, height).entries()) ports.set(touching[index]?.name ?? '', y);
    }
  }
  return ports;
}

/** The main line touches the middle of the side; the others share what is left above and below it. */
function spread(touching: readonly { main: boolean }[], top: number, height: number): number[] {
  const [first, last, centre] = [top + CORNER, top + height - CORNER, top + height / 2];
  const between = (count: number, from: number, to: number) =>
    Array.from({ length: count }, (_, index) =>
      count === 1 ? (from + to) / 2 : from + ((to - from) * index) / (count - 1),
    );
  const main = touching.findIndex(end => end.main);
  if (main < 0) return between(touching.length, first, last);
  return [
    ...between(main, first, centre - CORNER),
    centre,
    ...between(touching.length - main - 1, centre + CORNER, last),
  ];
}

/** From the left box to the right one, whichever way it is walked. */
function lineOf(
  pair: Pair,
  { from, to, shift }: Direction,
  boxes: ReadonlyMap<string, Box>,
  ports: ReadonlyMap<string, number>,
): Point[] {
  const [a, b] = [boxes.get(pair.left) as Box, boxes.get(pair.right) as Box];
  if (isBeside(pair)) return besideLine(a, b, (shift / APART) * Math.min(3 * APART, a.width * 0.4));
  const start = { x: a.left + a.width, y: ports.get(`left ${from} ${to}`) ?? a.top };
  const end = { x: b.left, y: ports.get(`right ${from} ${to}`) ?? b.top };
  return smooth([
    start,
    { x: start.x + LEAD, y: start.y },
    ...pair.corners.map(({ x, y }) => ({ x, y: y + shift })),
    { x: end.x - LEAD, y: end.y },
    end,
  ]);
}

/** In one column the line runs across; right of the middle, because loops are left of it. */
function besideLine(a: Box, b: Box, shift: number): Point[] {
  const x = (box: Box) => box.left + box.width * 0.72 + shift;
  const [upper, lower] = a.top < b.top ? [a, b] : [b, a];
  const line = [
    { x: x(upper), y: upper.top + upper.height },
    { x: x(lower), y: lower.top },
  ];
  return upper === a ? line : line.toReversed();
}

type Drawn = { boxes: Map<string, Box>; ways: Map<string, Point[]>; start: Point[] };

/** Moved so that nothing is left of or above the margin, and turned over the diagonal if asked. */
function framed({ boxes, ways, start }: Drawn, { margin, label }: Measures, turned: boolean): Layout {
  const all = [
    ...start,
    ...[...ways.values()].flat(),
    ...[...boxes.values()].flatMap(({ left, top, width, height }) => [
      { x: left, y: top },
      { x: left + width, y: top + height },
    ]),
  ];
  const [xs, ys] = [all.map(({ x }) => x), all.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs) - margin, Math.min(...ys) - margin - label];
  const [right, bottom] = [Math.max(...xs) + margin, Math.max(...ys) + margin];
  const point = ({ x, y }: Point): Point => (turned ? { x: y - top, y: x - left } : { x: x - left, y: y - top });
  const box = (b: Box): Box => {
    const { x, y } = point({ x: b.left, y: b.top });
    return { left: x, top: y, width: turned ? b.height : b.width, height: turned ? b.width : b.height };
  };
  return {
    width: turned ? bottom - top : right - left,
    height: turned ? right - left : bottom - top,
    states: new Map([...boxes].map(([state, b]) => [state, box(b)])),
    ways: new Map([...ways].map(([name, line]) => [name, line.map(point)])),
    start: start.map(point),
  };
}
