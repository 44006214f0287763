// Rows go to PostgreSQL as arrays, one a column, and come to life there with unnest. The literals are written here,
// because the driver types an array by its first element and refuses nulls; every array is text on the wire and cast in SQL.

type Element = string | number | boolean | null | undefined;
type ColumnType = 'int' | 'bigint' | 'text' | 'boolean';
/** `n` is the number given to the row beside it: its group in a commit, its place in a load. */
type Columns<R> = Record<string, readonly [ColumnType, (row: R, n: number | null) => Element]>;

/** `{"a","b\"c",NULL}`: strings quoted and escaped, numbers and booleans plain. */
export function arrayLiteral(elements: readonly Element[]): string {
  let literal = '{';
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i];
    if (i > 0) literal += ',';
    if (element === null || element === undefined) literal += 'NULL';
    else if (typeof element === 'string') literal += quote(element);
    else literal += String(element);
  }
  return `${literal}}`;
}

const NEEDS_ESCAPE = /["\\]/;
/** What JSON would escape otherwise than an array literal does. */
const NOT_AS_JSON = /[^ -\ud7ff\ue000-\uffff]/;

/** A backslash before quotes and backslashes. JSON's own quoting does just that to most texts, many times faster. */
function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return NOT_AS_JSON.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : JSON.stringify(text);
}

/** Rows of one shape inside a statement: the FROM item that names them, and their parameters. */
export type RowArrays<R> = {
  from: string;
  /** `numbers` holds one for each row, where a column asks for it. */
  params(rows: readonly R[], numbers?: readonly (number | null)[]): string[];
};

/** Gives each `rows(alias, columns)` of one statement its own stretch of parameter numbers, in the order of the calls. */
export function statementArrays(): <R>(alias: string, columns: Columns<R>) => RowArrays<R> {
  let next = 1;
  return (alias, columns) => {
    const names = Object.keys(columns);
    const picks = Object.values(columns);
    const params = picks.map(([type]) => `$${next++}::${type}[]`);
    return {
      from: `unnest(${params.join(', ')}) as ${alias}(${names.join(', ')})`,
      params: (rows, numbers) =>
        picks.map(([, of]) => arrayLiteral(rows.map((row, i) => of(row, numbers?.[i] ?? null)))),
    };
  };
}
