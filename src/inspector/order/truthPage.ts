// The provider's truth beside ours, as a page of its own and as the fragment that a script puts below the payments.
import { html } from 'hono/html';
import type { OrderPageRow } from '../../../db/inspect/orderPage.ts';
import { plainAmount } from '../../../machines/amountText.ts';
import type { SendableType } from '../../../machines/explain.ts';
import { actHref } from '../act/formView.ts';
import type { Html } from '../page.ts';
import { copyable, emptyState, instant, money, notice, toneBadge } from '../parts.ts';
import type { Told } from './askTruth.ts';
import { askProvider } from './money.ts';
import type { Side, TruthRow } from './truth.ts';

export type TruthAnswer = { rows: TruthRow[]; told: Told; at: Date } | { trouble: string };

/** What stands below the payments. */
export function truthView({ order }: OrderPageRow, answer: TruthAnswer): Html {
  const provider = order.provider ?? 'the provider';
  if ('trouble' in answer)
    return html`<div class="truth">${notice('held', html`<b>${provider} could not be asked.</b> ${answer.trouble}`)}
      ${order.provider ? askProvider(order.id, order.provider) : ''}</div>`;
  const { rows, told, at } = answer;
  const different = rows.filter(row => row.differs.length > 0).length;
  return html`<div class="truth">
    <h2>What ${provider} knows, beside ours</h2>
    <p class="quiet">Asked ${instant(at)}. Nothing was written: what it told is shown and forgotten.</p>
    ${told.missing.map(sentence => notice('held', sentence))}
    ${rows.length === 0 ? emptyState('No payment there', `${provider} knows of no payment for this order, and neither do we.`) : summary(different, told.missing.length === 0)}
    ${rows.length === 0 ? '' : table(order.id, provider, rows)}
    ${different === 0 ? '' : html`<p>What the provider says becomes ours by an event: by its next webhook, when the sweeper asks for it, or when you tell the order.</p>`}
    ${order.provider ? askProvider(order.id, order.provider) : ''}
  </div>`;
}

function summary(different: number, isAll: boolean): Html {
  if (different > 0)
    return notice(
      'bad',
      html`<b>${different === 1 ? 'One entry differs.' : `${different} entries differ.`}</b> Each is marked below.`,
    );
  return isAll
    ? notice('good', 'Both sides agree.')
    : html`<p>What it told agrees with our books; not everything was told.</p>`;
}

const TOLD_AS: Readonly<Record<string, SendableType>> = {
  authorized: 'payment.authorized',
  captured: 'payment.captured',
  failed: 'payment.failed',
  canceled: 'payment.canceled',
};

/**
 * What the provider says of a payment, as the event that tells it here, filled in: its page shows first what would come
 * of it.
 */
function tellLink(orderId: string, { what, id, theirs }: Pick<TruthRow, 'what' | 'id' | 'theirs'>): Html | '' {
  const type = what === 'payment' && theirs ? TOLD_AS[theirs.state] : undefined;
  if (!type || !theirs) return '';
  const isMoney = type === 'payment.authorized' || type === 'payment.captured';
  const { amountMinor, currency } = theirs;
  const sum: Record<string, string> = isMoney ? { amountMinor: plainAmount(amountMinor, currency), currency } : {};
  const href = `${actHref(orderId, type)}?${new URLSearchParams({ paymentId: id, ...sum, dry: '1' })}`;
  return html`<br /><a href="${href}">See what telling the order would do</a>`;
}

function table(orderId: string, provider: string, rows: readonly TruthRow[]): Html {
  return html`<div class="scroll"><table class="truth-table cards">
    <thead><tr><th scope="col">What</th><th scope="col">Ours</th><th scope="col">${provider}</th><th scope="col">Difference</th></tr></thead>
    <tbody>${rows.map(
      ({ what, id, ours, theirs, differs }) => html`<tr class="${differs.length > 0 ? 'differs' : 'same'}">
        <th scope="row" data-label="What"><span>${what} ${copyable(id)}</span></th>
        <td data-label="Ours">${side(ours)}</td>
        <td data-label="${provider}">${side(theirs)}</td>
        <td data-label="Difference">${differs.length > 0 ? html`<div>${toneBadge('differs', 'bad')} ${differs.join(', ')}${tellLink(orderId, { what, id, theirs })}</div>` : theirs ? 'none' : 'not told'}</td>
      </tr>`,
    )}</tbody></table></div>`;
}

function side(known: Side | null): Html | string {
  if (!known) return 'unknown';
  return html`<div>${known.state}, ${money(known.amountMinor, known.currency)}${known.asOf ? html`<br /><span class="quiet">${instant(known.asOf)}</span>` : ''}</div>`;
}
