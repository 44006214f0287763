// Lines between boxes: smooth, leaving and entering at right angles, told as points so that they can be measured, too.

export type Point = { x: number; y: number };
export type Box = { left: number; top: number; width: number; height: number };

/** Points a bend is drawn with: enough to look round at any size a screen has. */
const POINTS_A_BEND = 8;

/** A smooth line from the first corner to the last, which passes near the others. */
export function smooth(corners: readonly Point[]): Point[] {
  const [first, ...rest] = corners;
  const last = rest.pop();
  if (!first || !last) return [...corners];
  const line: Point[] = [first];
  let start = first;
  rest.forEach((corner, index) => {
    const next = rest[index + 1];
    const end = next ? middle(corner, next) : last;
    for (let i = 1; i <= POINTS_A_BEND; i++) line.push(bend(start, corner, end, i / POINTS_A_BEND));
    start = end;
  });
  if (rest.length === 0) line.push(last);
  return line;
}

const middle = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
function bend(a: Point, corner: Point, b: Point, t: number): Point {
  const [from, over, to] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
  return { x: from * a.x + over * corner.x + to * b.x, y: from * a.y + over * corner.y + to * b.y };
}

/** The `d` of an SVG path. */
export function pathOf(line: readonly Point[]): string {
  return line.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('');
}

/** The place so far along the line; 0 is its beginning, 1 its end. */
export function alongLine(line: readonly Point[], share: number): Point {
  const lengths = line.slice(1).map((point, index) => distance(line[index] ?? point, point));
  let left = lengths.reduce((sum, length) => sum + length, 0) * share;
  for (const [index, length] of lengths.entries()) {
    const [a, b] = [line[index], line[index + 1]];
    if (a && b && left <= length && length > 0) {
      const t = left / length;
      return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t };
    }
    left -= length;
  }
  return line.at(-1) ?? { x: 0, y: 0 };
}

const distance = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);
export const round = (n: number): number => Math.round(n * 10) / 10;

export const overlaps = (a: Box, b: Box): boolean =>
  a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
