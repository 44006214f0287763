// An order's money: each payment with what went back of it, the equation written out with what it means, what is under way,
// and the provider's side on demand.
import { html } from 'hono/html';
import { counts, net } from '../../../machines/money.ts';
import type { Html } from '../page.ts';
import { copyable, emptyState, instant, money, notice, panel, toneBadge } from '../parts.ts';
import { type Equation, equationOf } from './equation.ts';
import type { OrderModel } from './model.ts';
import { orderHref } from './pageQuery.ts';

export function moneyPanel(model: OrderModel): Html {
  const { row, live } = model;
  const known = live?.state.context.payments ?? null;
  const equation = equationOf(row, known, known && net(known));
  return panel({
    id: 'money',
    title: 'Money',
    aside: toneBadge(MEANING[equation.meaning].word, MEANING[equation.meaning].tone),
    body: html`${equationView(equation)} ${paymentsTable(model)} ${movedBack(model)} ${underWay(equation)}
      ${row.order.provider ? askProvider(row.order.id, row.order.provider) : ''}`,
  });
}

const MEANING = {
  free: { word: 'free', tone: 'quiet' },
  nothing: { word: 'nothing held', tone: 'quiet' },
  unfit: { word: 'does not fit', tone: 'bad' },
  partial: { word: 'partial', tone: 'held' },
  paid: { word: 'paid', tone: 'good' },
  surplus: { word: 'surplus', tone: 'held' },
} as const;

function equationView(equation: Equation): Html {
  const { captured, refunded, lost, over, net: held, price, currency, sentence, beside, disagrees } = equation;
  const term = (name: string, minor: number, sign = '') =>
    html`<div class="term"><dt><span class="sign">${sign}</span>${name}</dt><dd>${money(minor, currency)}</dd></div>`;
  return html`<dl class="equation">
      ${term('captured', captured)}${term('refunded', refunded, '−')}${term('lost in disputes', lost, '−')}
      ${over > 0 ? term('went back beyond it', over, '+') : ''}
      <div class="term net"><dt><span class="sign">=</span>net</dt><dd>${money(held, currency)}</dd></div><div class="term price"><dt><span class="sign"></span>price</dt><dd>${money(price, currency)}</dd></div>
    </dl>
    <p class="meaning">${sentence}</p>
    ${beside.map(({ paymentId, heldMinor, currency: own }) => notice('held', html`Beside it ${money(heldMinor, own)} of <code>${paymentId}</code> are held that do not pay for this order.`))}
    ${disagrees === null ? '' : notice('bad', html`The snapshot counts ${money(disagrees, currency)} where the books give ${money(held, currency)}. That must never be: nothing of it should be refunded before somebody has looked.`)}`;
}

function paymentsTable({ row, live }: OrderModel): Html {
  const { payments } = row;
  if (payments.length === 0)
    return emptyState(
      'No payment yet',
      live
        ? 'Nothing was reserved or captured for this order, as far as we know.'
        : 'Nothing was recorded: what arrived is kept until the order can be read, see the timeline.',
    );
  const known = live?.state.context.payments ?? [];
  return html`<div class="scroll"><table class="payments cards">
    <thead><tr><th scope="col">Payment</th><th scope="col">State</th><th scope="col" class="right">Captured</th><th scope="col" class="right">Refunded</th><th scope="col" class="right">Lost</th><th scope="col">Pays for it</th><th scope="col">As of</th></tr></thead>
    <tbody>${payments.map(payment => {
      const record = known.find(entry => entry.paymentId === payment.paymentId);
      const reserved =
        payment.state === 'authorized' && record
          ? html` <span class="quiet">${money(record.amountMinor, record.currency)} reserved</span>`
          : '';
      return html`<tr>
        <th scope="row" data-label="Payment">${copyable(payment.paymentId)}</th>
        <td data-label="State"><span>${toneBadge(payment.state, PAYMENT_TONES[payment.state] ?? 'quiet')}${reserved}</span></td>
        <td data-label="Captured" class="right">${money(payment.capturedMinor, payment.currency)}</td>
        <td data-label="Refunded" class="right">${money(payment.refundedMinor, payment.currency)}</td>
        <td data-label="Lost" class="right">${money(payment.lostMinor, payment.currency)}</td>
        <td data-label="Pays for it">${paysWords(payment.counts, record ? counts(record) : payment.counts, payment.state, record?.fits)}</td>
        <td data-label="As of">${payment.asOf ? instant(payment.asOf) : 'the provider told no time'}</td>
      </tr>`;
    })}</tbody></table></div>`;
}

const PAYMENT_TONES: Readonly<Record<string, 'good' | 'busy' | 'quiet'>> = { captured: 'good', authorized: 'busy' };

function paysWords(counted: boolean, countsNow: boolean, state: string, fits: boolean | undefined): string {
  if (counted && countsNow) return 'yes';
  if (state !== 'captured') return 'not captured';
  return fits === false ? 'no, it is not what the order costs' : 'no';
}

/** A form, so that nothing that only follows links asks a provider. */
export function askProvider(orderId: string, provider: string, isFirst = false): Html {
  return html`<form class="ask-provider" method="get" action="${orderHref(orderId)}/provider">
    <button class="button ${isFirst ? 'primary' : ''}" title="Its answer is shown beside our books; nothing is written.">Ask ${provider} what it knows</button>
  </form>`;
}

function movedBack({ row }: OrderModel): Html | '' {
  const all = [
    ...row.refunds.map(entry => ({ ...entry, what: 'refund' })),
    ...row.disputes.map(entry => ({ ...entry, what: 'dispute' })),
  ];
  if (all.length === 0) return '';
  return html`<h3>Refunds and disputes</h3><div class="scroll"><table class="moved-back cards">
    <thead><tr><th scope="col">What</th><th scope="col">State</th><th scope="col" class="right">Amount</th><th scope="col">Of payment</th><th scope="col">As of</th></tr></thead>
    <tbody>${all.map(
      ({ what, id, state, amountMinor, currency, paymentId, asOf }) => html`<tr>
        <th scope="row" data-label="What"><span>${what} ${copyable(id)}</span></th>
        <td data-label="State">${toneBadge(state, BACK_TONES[state] ?? 'quiet')}</td>
        <td data-label="Amount" class="right">${money(amountMinor, currency)}</td>
        <td data-label="Of payment"><code>${paymentId}</code></td>
        <td data-label="As of">${asOf ? instant(asOf) : 'the provider told no time'}</td>
      </tr>`,
    )}</tbody></table></div>`;
}

const BACK_TONES: Readonly<Record<string, 'good' | 'busy' | 'held' | 'bad'>> = {
  pending: 'busy',
  completed: 'good',
  failed: 'bad',
  opened: 'held',
  won: 'good',
  lost: 'bad',
};

function underWay({ underWay: list }: Equation): Html | '' {
  if (list.length === 0) return '';
  return html`<h3>Under way</h3><ul class="under-way">${list.map(
    ({ paymentId, amountMinor, currency, key, refundId }) =>
      html`<li>${money(amountMinor, currency)} of <code>${paymentId}</code> are set aside: ${
        key
          ? html`asked to go back under the key ${copyable(key)}, no answer is known yet`
          : html`refund <code>${refundId}</code> is pending at the provider`
      }.</li>`,
  )}</ul>`;
}
