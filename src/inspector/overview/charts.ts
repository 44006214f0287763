// Orders and verdicts over time, drawn on the server. The labels are HTML beside the drawing, so that they stay readable
// when the drawing shrinks; the numbers themselves are in a table that opens below.
import { scaleBand, scaleLinear } from 'd3-scale';
import { line, stack } from 'd3-shape';
import { html } from 'hono/html';
import { type Overview, SPANS, type Span, type Step } from '../../../db/inspect/overview.ts';
import type { Html } from '../page.ts';
import { panel } from '../parts.ts';
import { asOfNote, figure } from './figures.ts';

/** The drawing's own measure; it is stretched to its place. */
const WIDTH = 720;
const HEIGHT = 180;
/** Steps from one label of the time to the next: both spans divide by theirs. */
const LABEL_EVERY: Readonly<Record<Span, number>> = { '24h': 6, '30d': 6 };
const ISO_DATE_LENGTH = 10;

const ORDER_SERIES = ['created', 'subscribed', 'failed'] as const;
/** From the calm to the alarming: so they are stacked. */
const VERDICTS = [
  'applied',
  'duplicate',
  'stale',
  'ignored',
  'foreign',
  'surplus',
  'unmatched',
  'parked',
  'mismatch',
  'illegal',
];

const SPAN_WORDS: Readonly<Record<Span, string>> = { '24h': '24 hours', '30d': '30 days' };

/** Switches both charts. */
export function spanSwitch(span: Span): Html {
  return html`<nav class="overview-switch" aria-label="Time shown in the charts">${(Object.keys(SPANS) as Span[]).map(
    one =>
      html`<a href="/inspector?span=${one}" ${one === span ? html`aria-current="true"` : ''}>${SPAN_WORDS[one]}</a>`,
  )}</nav>`;
}

type Series = { name: string; values: number[] };
type Drawing = { id: string; title: string; series: Series[]; top: number; shapes: Html };

export function ordersChart({ steps, span, ordersAsOf }: Overview): Html {
  const series = ORDER_SERIES.map(name => ({ name, values: steps.map(step => step[name]) }));
  const top = roundTop(Math.max(...series.flatMap(({ values }) => values)));
  const { x, y, middle } = scales(steps, top);
  const path = (values: number[], isDrawn: (index: number) => boolean) =>
    line<number>()
      .defined((_, index) => isDrawn(index))
      .x((_, index) => middle(index))
      .y(value => y(value))(values) ?? '';
  // The last step is not over: what falls there has not happened yet.
  const running = steps.length - 1;
  const shapes = html`${series.map(
    ({
      name,
      values,
    }) => html`<path class="line line-${name} line-now" d="${path(values, index => index >= running - 1)}" />
      <path class="line line-${name}" d="${path(values, index => index < running)}" />`,
  )}
    ${touchStrips(steps, span, x, step => ORDER_SERIES.map(name => `${figure(step[name])} ${name}`).join(', '))}`;
  return chartPanel(
    { id: 'orders-chart', title: 'Orders over time', series, top, shapes },
    steps,
    span,
    asOfNote(ordersAsOf),
  );
}

export function verdictsChart({ steps, span, eventsAsOf }: Overview): Html {
  const names = VERDICTS.filter(name => steps.some(step => (step.verdicts.get(name) ?? 0) > 0));
  const series = names.map(name => ({ name, values: steps.map(step => step.verdicts.get(name) ?? 0) }));
  const top = roundTop(Math.max(0, ...steps.map(step => [...step.verdicts.values()].reduce((sum, n) => sum + n, 0))));
  const { x, y } = scales(steps, top);
  const layers = stack<Step>()
    .keys(names)
    .value((step, name) => step.verdicts.get(name) ?? 0)([...steps]);
  const bars = layers.map(layer =>
    layer.map(([low, high], index) =>
      high > low
        ? html`<rect class="fill-${layer.key}" x="${x(index)}" y="${fixed(y(high))}" width="${fixed(x.bandwidth())}" height="${fixed(y(low) - y(high))}" />`
        : '',
    ),
  );
  const words = (step: Step) =>
    names.map(name => `${figure(step.verdicts.get(name) ?? 0)} ${name}`).join(', ') || 'nothing';
  const shapes = html`${bars}${touchStrips(steps, span, x, words)}`;
  return chartPanel(
    { id: 'verdicts-chart', title: 'Verdicts over time', series, top, shapes },
    steps,
    span,
    asOfNote(eventsAsOf),
  );
}

/** The next number above that a person would label an axis with, and that halves well. */
export function roundTop(most: number): number {
  if (most <= 2) return 2;
  const [, top = 2] = scaleLinear().domain([0, most]).nice(4).domain();
  return top % 2 === 0 ? top : top + 1;
}

const fixed = (value: number) => Math.round(value * 100) / 100;

function scales(steps: readonly Step[], top: number) {
  const band = scaleBand<number>()
    .domain(steps.map((_, index) => index))
    .range([0, WIDTH])
    .paddingInner(0.25)
    .paddingOuter(0.125);
  const x = Object.assign((index: number) => fixed(band(index) ?? 0), { bandwidth: band.bandwidth, step: band.step });
  const y = scaleLinear().domain([0, top]).range([HEIGHT, 0]);
  return { x, y, middle: (index: number) => fixed(x(index) + band.bandwidth() / 2) };
}

/** One strip a step, over its whole height: what a pointer asks about. */
function touchStrips(steps: readonly Step[], span: Span, x: { step(): number }, words: (step: Step) => string): Html {
  const width = fixed(x.step());
  return html`${steps.map(
    (step, index) =>
      html`<rect class="strip${index === steps.length - 1 ? ' strip-now' : ''}" x="${fixed(index * x.step())}" y="0" width="${width}" height="${HEIGHT}"><title>${stepName(step.at, span)}${index === steps.length - 1 ? ', not over yet' : ''}: ${words(step)}</title></rect>`,
  )}`;
}

/** `14:00` or `01-31`, UTC */
const stepLabel = (at: Date, span: Span): string =>
  span === '24h' ? at.toISOString().slice(11, 16) : at.toISOString().slice(5, ISO_DATE_LENGTH);
const stepName = (at: Date, span: Span): string =>
  span === '24h'
    ? `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : at.toISOString().slice(0, ISO_DATE_LENGTH);

const sumOf = ({ values }: Series) => values.reduce((sum, value) => sum + value, 0);

function chartPanel({ id, title, series, top, shapes }: Drawing, steps: readonly Step[], span: Span, asOf: Html): Html {
  const totals = series.map(one => `${figure(sumOf(one))} ${one.name}`).join(', ') || 'nothing';
  const labels = steps.filter((_, index) => index % LABEL_EVERY[span] === 0);
  const body = html`<ul class="overview-legend">${series.map(
    one =>
      html`<li><span class="key key-${one.name}" aria-hidden="true"></span>${one.name} <span class="number">${figure(sumOf(one))}</span></li>`,
  )}${series.length === 0 ? html`<li>Nothing was received in this time.</li>` : ''}</ul>
    <div class="overview-chart">
      <div class="axis-y" aria-hidden="true"><span>${figure(top)}</span><span>${figure(top / 2)}</span><span>0</span></div>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-labelledby="${id}-name ${id}-words">
        <title id="${id}-name">${title}, ${SPAN_WORDS[span]}</title>
        <desc id="${id}-words">In all: ${totals}. The table below has every number.</desc>
        ${[0, 1, 2].map(tick => html`<line class="grid-line" x1="0" x2="${WIDTH}" y1="${(tick * HEIGHT) / 2}" y2="${(tick * HEIGHT) / 2}" />`)}
        ${shapes}
      </svg>
      <div class="axis-x" aria-hidden="true">${labels.map(step => html`<span>${stepLabel(step.at, span)}</span>`)}</div>
    </div>
    ${tableOf(title, series, steps, span)}`;
  return panel({ id, title, aside: html`${span === '24h' ? 'hours' : 'days'} in UTC · ${asOf}`, body });
}

function tableOf(title: string, series: readonly Series[], steps: readonly Step[], span: Span): Html {
  return html`<details class="overview-table"><summary>As a table</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="${title}, as a table"><table>
      <thead><tr><th scope="col">${span === '24h' ? 'Hour' : 'Day'}</th>${series.map(({ name }) => html`<th scope="col" class="right">${name}</th>`)}</tr></thead>
      <tbody>${steps.map(
        (step, index) =>
          html`<tr><th scope="row">${stepName(step.at, span)}</th>${series.map(
            ({ values }) => html`<td class="right number">${figure(values[index] ?? 0)}</td>`,
          )}</tr>`,
      )}</tbody>
    </table></div>
  </details>`;
}
