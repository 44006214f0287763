// Whether anybody is needed, before any number: what stands still, and which part of the service does not work. Pure.
import { html } from 'hono/html';
import type { Overview } from '../../../db/inspect/overview.ts';
import type { LaneHealth } from '../../../db/inspect/overviewHealth.ts';
import type { StuckGroup } from '../../../db/inspect/overviewStuck.ts';
import type { Html } from '../page.ts';
import { age } from '../parts.ts';
import { figure, waitingFigure } from './figures.ts';

/** Without a count for so long, in ms, the sweeper does not run: it counts every ten seconds. */
const SILENT_SWEEPER_MS = 60_000;
/** What is due for so long, in ms, is late: worker and sweeper look every second, and a minute is many of their rounds. */
const LATE_MS = 60_000;
/** Wrong signatures are news for so long, in ms. */
const NEWS_MS = 3_600_000;

export const isSweeperSilent = ({ talliedAt, now }: Pick<Overview, 'talliedAt' | 'now'>): boolean =>
  talliedAt === null || now.getTime() - talliedAt.getTime() > SILENT_SWEEPER_MS;

const isOld = (at: Date | null, now: Date): boolean => at !== null && now.getTime() - at.getTime() > LATE_MS;
export const isLate = ({ due }: LaneHealth, now: Date): boolean => isOld(due.oldestAt, now);

/** The first thing of the page: one line for all that is well, or one for each thing that is not. */
export function headline(overview: Overview): Html {
  const lines = [...stuckLines(overview), ...partLines(overview), ...signatureLines(overview)];
  return html`<section class="headline ${lines.length === 0 ? 'tone-good' : 'tone-bad'}" aria-label="Whether anybody is needed" data-live="headline">
    <p class="headline-sentence">${lines.length === 0 ? 'Nobody is needed.' : 'Somebody is needed.'}</p>
    ${lines.length === 0 ? html`<p>Every order moves by itself, nothing is late, and the parts of the service run.</p>` : html`<ul>${lines.map(line => html`<li>${line}</li>`)}</ul>`}
  </section>`;
}

/** Who has paid and has nothing, and then all others: their causes stand below. */
function stuckLines({ stuck, now }: Overview): Html[] {
  const isPaid = ({ cause }: StuckGroup) => cause === 'grant_failed';
  // A deadline that has just passed is what the sweeper is there for.
  const isWaited = ({ cause, oldestAt }: StuckGroup) => cause !== 'deadline_passed' || isOld(oldestAt, now);
  const real = stuck.filter(group => group.count > 0 && isWaited(group));
  return [
    ...stuckLine(
      real.filter(isPaid),
      '?cause=grant_failed',
      now,
      one => `${one ? 'order is' : 'orders are'} paid, without access`,
    ),
    ...stuckLine(
      real.filter(group => !isPaid(group)),
      '',
      now,
      one => `${one ? 'order waits' : 'orders wait'} for a decision or a retry`,
    ),
  ];
}

function stuckLine(groups: StuckGroup[], query: string, now: Date, words: (isOne: boolean) => string): Html[] {
  const [oldest] = groups.flatMap(({ oldestAt }) => oldestAt ?? []).sort((a, b) => a.getTime() - b.getTime());
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const more = groups.some(group => group.more);
  if (count === 0) return [];
  return [
    html`<a href="/inspector/stuck${query}">${waitingFigure({ count, more })} ${words(count === 1 && !more)}</a>${oldest ? html`, the oldest from ${age(oldest, now)}` : ''}`,
  ];
}

function partLines(overview: Overview): Html[] {
  const { outbox, talliedAt, now } = overview;
  const lines: Html[] = [];
  if (isSweeperSilent(overview))
    lines.push(
      html`<a href="#sweeper">The sweeper does not run</a>: ${talliedAt ? html`its last round was ${age(talliedAt, now)}` : 'it has not made a round yet'}. Deadlines and lost webhooks wait for it.`,
    );
  const late = outbox.lanes.filter(lane => isLate(lane, now));
  const oldest = late.map(({ due }) => due.oldestAt ?? now).sort((a, b) => a.getTime() - b.getTime())[0];
  if (oldest)
    lines.push(
      html`<a href="#outbox">Effects are late</a>, the oldest was due ${age(oldest, now)}: no worker runs, or it cannot keep up.`,
    );
  return lines;
}

function signatureLines({ webhooks, now }: Overview): Html[] {
  return webhooks
    .filter(({ lastFailureAt }) => lastFailureAt !== null && now.getTime() - lastFailureAt.getTime() < NEWS_MS)
    .map(
      ({ provider, signatureFailures }) =>
        html`<a href="#webhooks">${figure(signatureFailures)} webhooks in the name of ${provider} had a wrong signature</a>: its secret here is another one, or somebody tries.`,
    );
}
