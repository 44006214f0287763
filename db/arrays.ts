// Rows go to PostgreSQL as arrays, one a column, and come to life there with unnest. The literals are written here,
// because the driver types an array by its first element and refuses nulls; every array is text on the wire and cast in SQL.

type Element = string | number | boolean | null | undefined;
type ColumnType = 'int' | 'bigint' | 'text' | 'boolean';
type Columns<R> = Record<string, readonly [ColumnType, (row: R) => Element]>;

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

const needsEscape = /["\\]/;
const quote = (text: string) => `"${needsEscape.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;

/** Rows of one shape inside a statement: the FROM item that names them, and their parameters. */
export type RowArrays<R> = { from: string; params(rows: readonly R[]): string[] };

/** Gives each `rows(alias, columns)` of one statement its own stretch of parameter numbers, in the order of the calls. */
export function statementArrays(): <R>(alias: string, columns: Columns<R>) => RowArrays<R> {
  let next = 1;
  return (alias, columns) => {
    const names = Object.keys(columns);
    const picks = Object.values(columns);
    const params = picks.map(([type]) => `$${next++}::${type}[]`);
    return {
      from: `unnest(${params.join(', ')}) as ${alias}(${names.join(', ')})`,
      params: rows => picks.map(([, of]) => arrayLiteral(rows.map(of))),
    };
  };
}
