// What the inspector asks the database each second while pages are open: one look for all that listen.
import type { Database } from '../db/client.ts';
import { orderMarks, serviceMark } from '../db/inspect/liveMarks.ts';

/** Orders watched at once: as many as the inspector lets listen (MAX_LISTENERS of src/inspector/live.ts). */
const WATCHED = 100;

export type Mark = { group: 'live'; name: string; look(turn: number): Promise<{ ms: number; bytes: number }> };

/** `ids` are of orders; others are watched each turn. */
export function marksOf(db: Database, ids: readonly string[]): Mark[] {
  const mark = (name: string, ask: (turn: number) => Promise<unknown>): Mark => ({
    group: 'live',
    name,
    async look(turn) {
      const from = performance.now();
      await ask(turn);
      return { ms: performance.now() - from, bytes: 0 };
    },
  });
  const watched = (turn: number) => Array.from({ length: WATCHED }, (_, i) => ids[(turn + i) % ids.length] ?? 'none');
  return [
    mark('a look for all that listen', () => serviceMark(db)),
    mark(`a look at ${WATCHED} open orders`, turn => orderMarks(db, watched(turn))),
  ];
}
