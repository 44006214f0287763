// Numbers as the overview writes them, each with what it is worth: exact, cut off at a limit, or true at an instant.
import { html } from 'hono/html';
import type { Waiting } from '../../../db/inspect/overviewStuck.ts';
import type { AsOf } from '../../../db/inspect/overviewTallies.ts';
import type { Html } from '../page.ts';
import { instant } from '../parts.ts';

const WHOLE = new Intl.NumberFormat('en');

/** `1,234,567` */
export const figure = (count: number): string => WHOLE.format(count);

/** `10,000+` where the count stopped. */
export const waitingFigure = ({ count, more }: Pick<Waiting, 'count' | 'more'>): string =>
  `${figure(count)}${more ? '+' : ''}`;

/** Of numbers that are read as the page is made, beside others that were counted before. */
export const COUNTED_NOW = 'counted just now';

/** When the numbers beside it were true. */
export function asOfNote(asOf: AsOf): Html {
  if (!asOf) return html`not counted yet`;
  return html`as of ${instant(asOf.at)}`;
}

/** What has no provider, such as a trial. */
export const providerName = (provider: string): string => (provider === '' ? 'no provider' : provider);
