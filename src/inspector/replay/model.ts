// One step of an order's replay, as its page shows it: the stored transition, what walking it again gives, and what the
// check says about all of them. Pure.
import type { Life, LifeEffect, LifeTransition } from '../../../db/inspect/transitions.ts';
import type { Effect } from '../../../machines/effects.ts';
import { type ReplayMismatch, type ReplayStep, replayOrder } from '../../../machines/replay.ts';

/** Transitions walked for one page: 100 attempts, 50 payments and years of hourly retries are fewer. */
export const MAX_STEPS = 2_000;

/** An effect a step asked for, and what became of it; null where it is not in the outbox. */
export type AskedEffect = {
  effect: string;
  payload: Record<string, unknown>;
  dedupKey: string;
  row: LifeEffect | null;
};

export type ReplayModel = {
  life: Life;
  /** The step shown, from 1. */
  step: number;
  shown: LifeTransition;
  /** Null where the replay could not get this far. */
  walked: ReplayStep | null;
  before: ReplayStep | null;
  effects: AskedEffect[];
  /** Empty when the replay gives what is stored; the end of a life that was not read whole is not compared. */
  mismatches: ReplayMismatch[];
  isWhole: boolean;
};

/** `asked` is the step to show; what is no step of this life is its nearest one. Null when there are no transitions. */
export function replayModel(life: Life, asked: number | null): ReplayModel | null {
  const { transitions } = life;
  const step = Math.min(Math.max(asked ?? transitions.length, 1), transitions.length);
  const shown = transitions[step - 1];
  if (!shown) return null;
  const { steps, mismatches } = replayOrder(life, transitions);
  const walked = steps[step - 1] ?? null;
  const isWhole = transitions.length < MAX_STEPS || life.version <= MAX_STEPS;
  return {
    life,
    step,
    shown,
    walked,
    before: steps[step - 2] ?? null,
    effects: effectsOf(life.effects, shown.version, walked?.effects ?? []),
    mismatches: isWhole ? mismatches : mismatches.filter(({ version }) => version !== null),
    isWhole,
  };
}

/** Those the machine asked for, and what the grant itself tells: that depends on the subscription, so only its rows know. */
function effectsOf(rows: readonly LifeEffect[], version: number, asked: readonly Effect[]): AskedEffect[] {
  const keys = new Set(asked.map(({ dedupKey }) => dedupKey));
  return [
    ...asked.map(({ effect, payload, dedupKey }) => ({
      effect,
      payload,
      dedupKey,
      row: rows.find(row => row.dedupKey === dedupKey) ?? null,
    })),
    ...rows.filter(row => row.orderVersion === version && !keys.has(row.dedupKey)).map(row => ({ ...row, row })),
  ];
}

/** Up to so many steps each has its number; more would wrap to several lines. */
const ALL_STEPS = 16;
/** Numbered steps shown around the present one; the first and the last are always there. */
const STEPS_AROUND = 4;

/** The steps to link to, with null for each gap. */
export function stepLinks(step: number, count: number): (number | null)[] {
  const links: (number | null)[] = [];
  for (let n = 1; n <= count; n++) {
    if (count <= ALL_STEPS || n === 1 || n === count || Math.abs(n - step) <= STEPS_AROUND) links.push(n);
    else if (links.at(-1) !== null) links.push(null);
  }
  return links;
}
