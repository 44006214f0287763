// A body as it came, made fit to be looked at: parsed as JSON or as a form, every value checked against the rules, printed
// with indents and cut at a limit. What is neither is not shown at all. Nothing of it is ever interpreted as markup.
import { maskOf, shownKey, shownValue } from './maskRules.ts';

/** Printed characters shown of one body: more than any provider's event, and still a page that opens at once. */
export const MAX_SHOWN_CHARACTERS = 40_000;
/** Deepest level shown, and most values of one body: beyond them somebody plays with us. */
const MAX_DEPTH = 24;
const MAX_VALUES = 4_000;
/** Longest text inside a value that is looked at as JSON of its own (CloudPayments' `Data`), in characters. */
const MAX_NESTED_CHARACTERS = 20_000;

export type MaskedBody = {
  kind: 'json' | 'form' | 'empty' | 'unreadable';
  text: string;
  /** How many values were hidden. */
  masked: number;
  truncated: boolean;
};

/** Header names that are shown, each as the field of a body that holds the like; signatures, cookies and keys are not among them. */
const SHOWN_HEADERS: ReadonlyMap<string, string> = new Map([
  ['content-type', 'reason'],
  ['user-agent', 'reason'],
  ['webhook-id', 'id'],
  ['webhook-timestamp', 'timestamp'],
]);

export function maskHeaders(headers: Record<string, unknown>): { name: string; value: string; masked: boolean }[] {
  return Object.entries(headers).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const shown = shownValue(SHOWN_HEADERS.get(name.toLowerCase()) ?? '', text);
    return shown === null
      ? { name: shownKey(name), value: maskOf(text), masked: true }
      : { name: shownKey(name), value: String(shown), masked: shown !== text };
  });
}

/** `bytes` is what came; `isWhole` is false where only its beginning was read. */
export function maskBody(bytes: Uint8Array, isWhole: boolean): MaskedBody {
  if (bytes.length === 0) return { kind: 'empty', text: '', masked: 0, truncated: false };
  const text = Buffer.from(bytes).toString('utf8');
  const parsed = parse(text, isWhole);
  if (!parsed) return { kind: 'unreadable', text: '', masked: 0, truncated: false };
  const count = { masked: 0, values: 0 };
  const printed = JSON.stringify(maskValue('', parsed.value, 0, count), null, 2);
  const truncated = printed.length > MAX_SHOWN_CHARACTERS;
  return {
    kind: parsed.kind,
    text: truncated ? printed.slice(0, MAX_SHOWN_CHARACTERS) : printed,
    masked: count.masked,
    truncated,
  };
}

/** An object of ours that somebody else filled, such as an order's metadata. */
export function maskObject(value: Record<string, unknown>): MaskedBody {
  return maskBody(Buffer.from(JSON.stringify(value)), true);
}

function parse(text: string, isWhole: boolean): { kind: 'json' | 'form'; value: unknown } | null {
  const start = text.trimStart();
  if (isWhole && (start.startsWith('{') || start.startsWith('['))) {
    try {
      return { kind: 'json', value: JSON.parse(text) };
    } catch {
      return null;
    }
  }
  return isWhole && /^[^\s=&{[<]{1,200}=/.test(text) && !/[\r\n]/.test(text.trimEnd())
    ? { kind: 'form', value: formObject(text.trimEnd()) }
    : null;
}

/** A key that comes twice keeps both its values. Without a prototype, so that no name of a key means anything. */
function formObject(text: string): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}

type Count = { masked: number; values: number };

function maskValue(key: string, value: unknown, depth: number, count: Count): unknown {
  count.values += 1;
  if (count.values > MAX_VALUES) return '‹more›';
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'object') {
    if (depth >= MAX_DEPTH) return '‹deeper›';
    return Array.isArray(value)
      ? value.map(entry => maskValue(key, entry, depth + 1, count))
      : maskFields(value as Record<string, unknown>, depth, count);
  }
  const leaf = typeof value === 'number' ? value : String(value);
  const nested = typeof leaf === 'string' ? nestedJson(leaf) : null;
  if (nested) return maskValue(key, nested, depth + 1, count);
  const shown = shownValue(key, leaf);
  if (shown !== leaf && leaf !== '') count.masked += 1;
  return shown ?? maskOf(leaf);
}

function maskFields(object: Record<string, unknown>, depth: number, count: Count): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(object)) {
    const name = shownKey(key);
    fields[name === key ? name : `${name} ${Object.keys(fields).length + 1}`] = maskValue(key, value, depth + 1, count);
  }
  return fields;
}

function nestedJson(text: string): object | null {
  if (text.length > MAX_NESTED_CHARACTERS || !/^\s*[{[]/.test(text)) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
