// The order chart as a Mermaid diagram, drawn from the chart itself so that it cannot lie; documents hold it between two
// markers, and a test compares.
import { type Arrow, arrowsOf } from './arrows.ts';
import { orderChart } from './order.ts';

export const DIAGRAM_START = '<!-- diagram -->';
export const DIAGRAM_END = '<!-- /diagram -->';

/** `stateDiagram-v2` of every way from one state to another; answers that stay where they are would only hide them. */
export function orderDiagram(): string {
  const lines = [...byWay(arrowsOf(orderChart))].map(([way, merged]) => `  ${way} : ${labels(merged).join('<br/>')}`);
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
