// Databases that misbehave on purpose, around a real one: one that holds each statement until told, and one that loses
// the answers of chosen statements, before or after the server has done them.
import type { Database, Param, Row } from '../../db/client.ts';
import { QueryLost } from '../../db/sqlstate.ts';

/** The one statement that changes orders that exist. */
export const isCommit = (text: string) => text.includes('update orders t');

export type Gate = {
  db: Database;
  /** Statements that wait at the gate. */
  waiting(): number;
  /** The text of the oldest one. */
  next(): string;
  /** Lets the oldest one through; resolves when the server has answered it. */
  release(): Promise<void>;
  /** Lets everything through from now on. */
  open(): void;
};

const gates = new Set<Gate>();

/** Nothing waits any more, whatever a failed test left at its gates. */
export function openGates(): void {
  for (const gate of gates) gate.open();
  gates.clear();
}

export function gated(inner: Database): Gate {
  const held: { text: string; go: () => Promise<void> }[] = [];
  let isOpen = false;
  function query<R extends Row>(text: string, params: readonly Param[]): Promise<R[]> {
    if (isOpen) return inner.query<R>(text, params);
    return new Promise<R[]>((resolve, reject) => {
      const go = () => {
        const running = inner.query<R>(text, params);
        running.then(resolve, reject);
        return running.then(
          () => {},
          () => {},
        );
      };
      held.push({ text, go });
    });
  }
  const gate: Gate = {
    db: { query, close: () => inner.close() },
    waiting: () => held.length,
    next: () => held[0]?.text ?? '',
    release: () => held.shift()?.go() ?? Promise.reject(new Error('nothing waits at the gate')),
    open() {
      isOpen = true;
      for (const { go } of held.splice(0)) void go();
    },
  };
  gates.add(gate);
  return gate;
}

/** `before`: the statement never reached the server. `after`: the server did it, and its answer was lost. */
export type Loss = 'before' | 'after' | null;

/** Asks `lose` about each statement. */
export function losing(inner: Database, lose: (text: string) => Loss): Database {
  return {
    async query<R extends Row>(text: string, params: readonly Param[]): Promise<R[]> {
      const loss = lose(text);
      if (loss === 'before') throw new QueryLost('the connection went away before the statement');
      const rows = await inner.query<R>(text, params);
      if (loss === 'after') throw new QueryLost('the connection went away with the answer');
      return rows;
    },
    close: () => inner.close(),
  };
}
