// The statechart of one order, drawn on the server from the order's own machine: where it stands, where it has been, and
// which way it took when. Twice, wide and tall; the stylesheet shows the one that fits.
import { html } from 'hono/html';
import type { Html } from '../page.ts';
import { duration } from '../parts.ts';
import { type Box, type Point, pathOf, round } from './curve.ts';
import { around, type Label, labelsOf } from './labels.ts';
import { type Layout, layoutOf, type Shape } from './layout.ts';
import { legend } from './legend.ts';
import { inWords, numbers, type Stay, staysOf, type Visit, type Walk } from './walked.ts';
import { type Chart, chartNamed, wayInWords } from './ways.ts';

export type OrderChart = {
  machineId: string;
  /** Null before the first transition. */
  current: string | null;
  /** Every transition, oldest first; its version is its number in the picture. */
  path: readonly Walk[];
  /** Each time a state was entered, oldest first. */
  visited: readonly Visit[];
  /** The ways an event would take, one after the other. */
  candidates?: readonly { from: string; to: string }[];
  /** The version whose way is being walked now. */
  walking?: number;
  /** Of the ids in the picture, where a page shows more than one. */
  name?: string;
};

/** The chart with its legend. A chart that is not registered here is told in words instead. */
export function orderChartSvg(order: OrderChart): Html {
  const chart = chartNamed(order.machineId);
  if (!chart) {
    return html`<p class="chart-missing">The chart ${order.machineId} is not registered here, so it cannot be drawn. ${inWords(order.current, order.path)}</p>`;
  }
  const drawing: Drawing = { chart, order, stays: new Map(staysOf(order.visited).map(stay => [stay.state, stay])) };
  return html`<figure class="chart">
    <div class="chart-box chart-wide" role="group" aria-label="Chart, from left to right" tabindex="0">${picture(drawing, 'wide')}</div>
    <div class="chart-box chart-tall" role="group" aria-label="Chart, from top to bottom" tabindex="0">${picture(drawing, 'tall')}</div>
    ${legend(chart, order.path, [...drawing.stays.values()], { candidate: order.candidates !== undefined })}
  </figure>`;
}

type Drawing = { chart: Chart; order: OrderChart; stays: ReadonlyMap<string, Stay> };
type WayKind = 'quiet' | 'walked' | 'now' | 'candidate';

function picture({ chart, order, stays }: Drawing, shape: Shape): Html {
  const layout = layoutOf(order.machineId, shape) as Layout;
  const name = `${order.name ?? 'order'}-${shape}`;
  const walked = walkedWays(order.path);
  const ways = drawnWays(chart, layout, order, walked);
  const labels = labelsOf(ways, [...layout.states.values()], shape === 'wide');
  const [left, top] = cropOf(layout, ways, labels);
  const [width, height] = [round(layout.width - left), round(layout.height - top)];
  return html`<svg viewBox="${left} ${top} ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${name}-title ${name}-desc">
    <title id="${name}-title">Chart of the order</title>
    <desc id="${name}-desc">${inWords(order.current, order.path)}${leadsInWords(order.candidates)}</desc>
    <defs>${(['quiet', 'walked', 'now', 'candidate'] as const).map(kind => arrowHead(name, kind))}</defs>
    ${ways.map(way => wayLine(name, way))}
    <circle class="start" cx="${round(layout.start[0]?.x ?? 0)}" cy="${round(layout.start[0]?.y ?? 0)}" r="5"></circle>
    ${chart.states.map(state => stateBox(state, layout.states.get(state) as Box, order, stays))}
    ${labels.map(chip)}
  </svg>`;
}

/** Around the picture, in px. */
const MARGIN = 8;

/** The layout keeps room for a loop at every state; where none is drawn at the edge, the picture begins later. */
function cropOf({ states, start }: Layout, ways: readonly DrawnWay[], labels: readonly Label[]): [number, number] {
  const points = [...start, ...ways.flatMap(({ line }) => line)];
  const boxes = [...states.values(), ...labels.map(around)];
  const crop = (least: number) => Math.max(0, Math.floor(least - MARGIN));
  return [
    crop(Math.min(...points.map(({ x }) => x), ...boxes.map(({ left }) => left))),
    crop(Math.min(...points.map(({ y }) => y), ...boxes.map(({ top }) => top))),
  ];
}

/** Versions and the newest event by `from to`; the beginning is from nowhere. */
function walkedWays(path: readonly Walk[]): Map<string, { versions: number[]; event: string | undefined }> {
  const walked = new Map<string, { versions: number[]; event: string | undefined }>();
  for (const { from, to, version, event } of path) {
    const name = `${from ?? ''} ${to}`;
    walked.set(name, { versions: [...(walked.get(name)?.versions ?? []), version], event });
  }
  return walked;
}

export type DrawnWay = {
  kind: WayKind;
  line: readonly Point[];
  title: string;
  versions: readonly number[];
  /** Numbers on the way; empty on one that was not walked. */
  chip: string;
  /** The event in words beside the numbers. */
  told: string;
};

function drawnWays(
  chart: Chart,
  layout: Layout,
  { path, candidates = [], walking }: OrderChart,
  walked: ReturnType<typeof walkedWays>,
): DrawnWay[] {
  const names = new Set(chart.ways.map(({ from, to }) => `${from} ${to}`));
  names.add(` ${chart.initial}`);
  for (const name of walked.keys()) names.add(name);
  for (const { from, to } of candidates) names.add(`${from} ${to}`);
  const ways = [...names].map(name => {
    const [from = '', to = ''] = name.split(' ');
    const { versions = [], event } = walked.get(name) ?? {};
    const isCandidate = candidates.some(way => way.from === from && way.to === to);
    const isNow = walking !== undefined && versions.includes(walking);
    const kind: WayKind = isNow ? 'now' : isCandidate ? 'candidate' : versions.length > 0 ? 'walked' : 'quiet';
    const known = chart.ways.find(way => way.from === from && way.to === to);
    const told = isNow ? path.find(({ version }) => version === walking)?.event : event;
    return {
      kind,
      line: from === '' ? layout.start : (layout.ways.get(name) ?? straight(layout, from, to)),
      title: `${from === '' ? 'the beginning' : from} → ${to}${known ? `: ${wayInWords(known)}` : ''}${versions.length > 0 ? `; walked as ${versions.join(', ')}` : ''}`,
      versions,
      chip: isCandidate && !isNow ? '?' : numbers(versions),
      told: told ?? '',
    };
  });
  // What was walked lies over what was not.
  const depth: WayKind[] = ['quiet', 'walked', 'candidate', 'now'];
  return ways.sort((a, b) => depth.indexOf(a.kind) - depth.indexOf(b.kind));
}

function leadsInWords(candidates: OrderChart['candidates'] = []): string {
  const [first, last] = [candidates[0], candidates.at(-1)];
  return first && last ? ` The event would lead from ${first.from} to ${last.to}.` : '';
}

/** A way that is stored but not in the chart is drawn all the same: it is what happened. */
function straight(layout: Layout, from: string, to: string): Point[] {
  const [a, b] = [layout.states.get(from), layout.states.get(to)];
  if (!a || !b) return [];
  return [a, b].map(({ left, top, width, height }) => ({ x: left + width / 2, y: top + height / 2 }));
}

function arrowHead(name: string, kind: WayKind): Html {
  return html`<marker id="${name}-${kind}" class="head ${kind}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0.5 0.8L7.5 4L0.5 7.2z"></path></marker>`;
}

function wayLine(name: string, { kind, line, title }: DrawnWay): Html {
  const d = pathOf(line);
  return html`<g class="way ${kind}"><title>${title}</title><path class="reach" d="${d}"></path><path class="line" d="${d}" marker-end="url(#${name}-${kind})"></path></g>`;
}

function stateBox(
  state: string,
  { left, top, width, height }: Box,
  { current, candidates, visited }: OrderChart,
  stays: ReadonlyMap<string, Stay>,
): Html {
  const stay = stays.get(state);
  const [x, y] = [round(left + width / 2), round(top + height / 2)];
  const kinds = [
    state === current ? 'current' : stay ? 'visited' : 'unvisited',
    candidates?.at(-1)?.to === state && 'target',
  ];
  const title = stay
    ? `${state}: entered ${stay.count}×, first ${stay.first}, last ${stay.last}`
    : `${state}: never entered`;
  return html`<g class="state ${kinds.filter(Boolean).join(' ')}"><title>${title}</title>
    <rect x="${round(left)}" y="${round(top)}" width="${width}" height="${height}" rx="9"></rect>
    <text class="name" x="${x}" y="${stay ? y - 3 : y + 4.5}">${state}</text>
    ${stay ? html`<text class="when" x="${x}" y="${y + 13}">${stayInWords(stay, visited[0]?.at ?? stay.first)}</text>` : ''}
  </g>`;
}

/** Since the order began, because that reads the same in every time zone: `+4 s`, `2× +4 s … +3 d`. */
function stayInWords({ count, first, last }: Stay, began: string): string {
  const since = (at: string) => {
    const ms = Date.parse(at) - Date.parse(began);
    return ms === 0 ? 'start' : `+${duration(ms).split(' ').slice(0, 2).join(' ')}`;
  };
  return count === 1 ? since(first) : `${count}× ${since(first)}…${since(last)}`;
}

function chip({ kind, text, told, box, place }: Label): Html {
  return html`<g class="mark ${kind}">
    ${told ? html`<text class="told" x="${round(place.x)}" y="${round(box.top - 3)}">${told}</text>` : ''}
    <rect x="${round(box.left)}" y="${round(box.top)}" width="${round(box.width)}" height="${box.height}" rx="${box.height / 2}"></rect>
    <text class="number" x="${round(place.x)}" y="${round(place.y + 3.7)}">${text}</text>
  </g>`;
}
