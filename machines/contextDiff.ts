// What differs between two values of JSON, path by path: what a dry run would change, what a transition changed, and where
// a stored snapshot is not what a replay gives.

/** `payments.0.state`, and both values; null also stands for what is not there. */
export type Difference = { path: string; before: unknown; after: unknown };

/**
 * Every path whose value differs. Where both sides are objects or lists, their differing parts are named instead of the
 * whole.
 */
export function contextDiff(before: unknown, after: unknown): Difference[] {
  return differences(before, after, '');
}

function differences(before: unknown, after: unknown, path: string): Difference[] {
  if (Object.is(before ?? null, after ?? null)) return [];
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after))
    return [{ path, before: before ?? null, after: after ?? null }];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap(name =>
    differences(valueAt(before, name), valueAt(after, name), path ? `${path}.${name}` : name),
  );
}

/** The same differences for people: an object or list that came or went as a whole is told value by value. */
export function spelledOut(differences: readonly Difference[]): Difference[] {
  return differences.flatMap(({ path, before, after }) => {
    const came = before === null ? leavesOf(after, path) : null;
    const went = after === null ? leavesOf(before, path) : null;
    if (came) return came.map(([leaf, value]) => ({ path: leaf, before: null, after: value }));
    if (went) return went.map(([leaf, value]) => ({ path: leaf, before: value, after: null }));
    return [{ path, before, after }];
  });
}

/** Every value below this one with its path; null when there is none, because it is a plain value or empty. */
function leavesOf(value: unknown, path: string): [string, unknown][] | null {
  if (!isBranch(value)) return null;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  if (entries.length === 0) return null;
  return entries.flatMap(([name, inner]) => leavesOf(inner, `${path}.${name}`) ?? [[`${path}.${name}`, inner]]);
}

const isBranch = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
// A stored value may be named like something every object has.
const valueAt = (branch: Record<string, unknown>, name: string) =>
  Object.hasOwn(branch, name) ? branch[name] : undefined;
