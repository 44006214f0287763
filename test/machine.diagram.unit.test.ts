// The diagram in the documents is the chart's, and shows what matters of it.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DIAGRAM_END, DIAGRAM_START, orderDiagram, withDiagram } from '../machines/diagram.ts';
import { orderChart } from '../machines/order.ts';
import { ORDER_STATES } from '../machines/orderStates.ts';

const fileOf = (name: string) => new URL(`../${name}`, import.meta.url);
const textOf = (name: string) => readFileSync(fileOf(name), 'utf8');
/** The README offers the place before somebody has drawn there; from then on it is held to the chart. */
const readme = existsSync(fileOf('README.md')) ? textOf('README.md') : null;
const drawn = readme === null || !readme.includes(`${DIAGRAM_START}\n${DIAGRAM_END}`);

describe('the documents hold the diagram of the chart (else: node --import tsx src/cli/diagram.ts --write)', () => {
  test('docs/order-machine.md', () => {
    expect(textOf('docs/order-machine.md')).toBe(withDiagram(textOf('docs/order-machine.md')));
  });
  test.skipIf(readme === null)('README.md has a place for it', () => {
    expect(() => withDiagram(readme ?? '')).not.toThrow();
  });
  test.skipIf(readme === null || !drawn)('README.md', () => {
    expect(readme).toBe(withDiagram(readme ?? ''));
  });
});

describe('drawing into a document', () => {
  test('replaces what stands between the markers and nothing else', () => {
    const before = `above\n${DIAGRAM_START}\nold\n${DIAGRAM_END}\nbelow\n`;
    const after = withDiagram(before);
    expect(after).toBe(`above\n${DIAGRAM_START}\n\`\`\`mermaid\n${orderDiagram()}\n\`\`\`\n${DIAGRAM_END}\nbelow\n`);
    expect(withDiagram(after)).toBe(after);
  });
  test.each([
    ['both markers', 'text'],
    ['the end', DIAGRAM_START],
    ['the right order', `${DIAGRAM_END} ${DIAGRAM_START}`],
  ])('refuses a document without %s', (_, document) => {
    expect(() => withDiagram(document)).toThrow(/no <!-- diagram -->/);
  });
});

describe('the diagram', () => {
  const lines = orderDiagram().split('\n');
  const arrows = lines.filter(line => line.includes('-->'));

  test('begins with the order and shows every state', () => {
    expect(lines[0]).toBe('stateDiagram-v2');
    expect(lines).toContain('  [*] --> created : order.created');
    for (const state of ORDER_STATES) expect(orderDiagram()).toMatch(new RegExp(`--> ${state} :`));
  });
  test('shows every way of the chart, and none that is not there', () => {
    const ways = new Set(
      Object.values(orderChart.states).flatMap(state =>
        [state.always ?? [], ...state.transitions.values()]
          .flat()
          .flatMap(way => (way.target ?? []).map(target => ({ to: target.key, reenter: way.reenter })))
          .filter(({ to, reenter }) => to !== state.key || reenter)
          .map(({ to }) => `${state.key} --> ${to}`),
      ),
    );
    expect(new Set(arrows.slice(1).map(line => line.split(' :')[0]?.trim()))).toEqual(ways);
  });
  test('draws one arrow from one state to another, however many events take it', () => {
    expect(new Set(arrows.map(line => line.split(' :')[0])).size).toBe(arrows.length);
  });
  test('tells the event, its condition, and deadlines by name', () => {
    const way = (from: string, to: string) => arrows.find(line => line.startsWith(`  ${from} --> ${to} :`));
    expect(way('created', 'captured')).toContain('payment.captured [fits and pays]');
    expect(way('created', 'failed')).toContain('after payment window');
    expect(way('authorized', 'authorized')).toBe('  authorized --> authorized : after capture window [may ask again]');
    expect(way('created', 'parked')).toContain('[otherwise]');
    expect(way('captured', 'captured')).toContain('retry.requested');
  });
  test('leaves out what stays where it is', () => {
    expect(
      arrows.filter(line => line.includes('subscribed --> subscribed') || line.includes('failed --> failed')),
    ).toEqual([]);
  });
  test('has no character that ends a label early', () => {
    for (const line of arrows) expect(line.split(' : ')[1]).not.toMatch(/[:;{}"]/);
  });
});
