// Rows of the order table as tests: what the order heard, what it hears now, what is decided.
import { describe, test } from 'vitest';
import { given, type Outcome, type Told } from './given.ts';

export type Cell = [sentence: string, given: Told[], when: Told, then: Outcome];

/** One line of the table: the event, and a test for each of its cells. */
export function line(event: string, cells: Cell[]): void {
  describe(event, () => {
    for (const [sentence, history, event, outcome] of cells) {
      test(sentence, () => {
        given(...history)
          .when(event)
          .then(outcome);
      });
    }
  });
}
