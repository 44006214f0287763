// Where the numbers on walked ways stand: on their line, away from the states and from each other.
import { alongLine, type Box, overlaps, type Point } from './curve.ts';
import type { DrawnWay } from './orderChart.ts';

export type Label = { kind: DrawnWay['kind']; text: string; told: string; place: Point; box: Box };

/** Height of a chip and widths of a character in its two sizes of type, in px. */
const CHIP = 17;
const NUMBER_WIDTH = 6.4;
const TOLD_WIDTH = 6.1;
/** Height of the event's name above the chip, in px. */
const TOLD = 13;
/** Where along the line a chip is tried: the middle first, then further and further out. */
const PLACES = [0.5, 0.46, 0.54, 0.42, 0.58, 0.38, 0.62, 0.34, 0.66, 0.3, 0.7, 0.26, 0.74, 0.22, 0.78, 0.18, 0.82];

/** One label a walked way, in the order they are drawn; `withEvents` also names the event where there is room. */
export function labelsOf(ways: readonly DrawnWay[], states: readonly Box[], withEvents: boolean): Label[] {
  const walked = ways.filter(({ chip, line }) => chip !== '' && line.length > 1);
  return (withEvents && together(walked, states)) || namedWherePossible(walked, states, withEvents);
}

/** Number and event of a way look for their place together. Null when a number finds none because of it. */
function together(ways: readonly DrawnWay[], states: readonly Box[]): Label[] | null {
  const taken: Box[] = [...states];
  const labels: Label[] = [];
  // The way being walked chooses its place first.
  for (const way of ways.toReversed()) {
    const label = (way.told ? placed(way, way.told, taken) : null) ?? placed(way, '', taken);
    if (!label) return null;
    taken.push(around(label));
    labels.unshift(label);
  }
  return labels;
}

/** The numbers look for their places alone, because they matter more; then the events that still fit are named. */
function namedWherePossible(ways: readonly DrawnWay[], states: readonly Box[], withEvents: boolean): Label[] {
  const taken: Box[] = [...states];
  const labels = ways
    .toReversed()
    .map(way => {
      const label = placed(way, '', taken) ?? at(way, '', 0.5);
      taken.push(label.box);
      return { label, told: way.told };
    })
    .map(({ label, told }) => {
      const named = { ...label, told };
      if (!withEvents || taken.some(box => box !== label.box && overlaps(around(named), box))) return label;
      taken.push(around(named));
      return named;
    });
  return labels.toReversed();
}

function placed(way: DrawnWay, told: string, taken: readonly Box[]): Label | null {
  for (const share of PLACES) {
    const label = at(way, told, share);
    if (!taken.some(box => overlaps(around(label), box))) return label;
  }
  return null;
}

function at({ kind, line, chip }: DrawnWay, told: string, share: number): Label {
  const place = alongLine(line, share);
  const width = Math.max(CHIP, 10 + chip.length * NUMBER_WIDTH);
  return {
    kind,
    text: chip,
    told,
    place,
    box: { left: place.x - width / 2, top: place.y - CHIP / 2, width, height: CHIP },
  };
}

/** The chip and what is written above it. */
export function around({ told, place, box }: Label): Box {
  if (!told) return box;
  const width = Math.max(box.width, told.length * TOLD_WIDTH);
  return { left: place.x - width / 2, top: box.top - TOLD, width, height: box.height + TOLD };
}
