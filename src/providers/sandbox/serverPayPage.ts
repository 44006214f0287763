// The markup of the hosted pay page. Works without JavaScript and holds none; `html` escapes whatever is put into it.
import { html } from 'hono/html';
import { formatAmount } from '../../pages/formatAmount.ts';
import { type Html, htmlDocument } from '../../pages/htmlDocument.ts';
import { PAY_SCENARIOS } from './serverScenarios.ts';
import type { SandboxOrder, SandboxPayment } from './serverState.ts';

/** The buttons by what they try out; `succeed` and `fail` stand above them as what a pay page always has. */
const GROUPS = [
  {
    title: 'What can happen to the money',
    names: ['fail-then-succeed', 'pay-twice', 'wrong-amount', 'authorize-only'],
  },
  {
    title: 'What can happen to webhook and redirect',
    names: ['webhook-first', 'webhook-late', 'webhook-twice', 'webhook-never', 'callback-never'],
  },
];

const STATE_WORDS: Record<SandboxPayment['state'], string> = {
  authorized: 'Authorized',
  captured: 'Paid',
  failed: 'Declined',
  canceled: 'Voided',
};

/** The page on which one order is paid. `attempt` marks this showing of the page, so that a double click pays once. */
export function payPage(order: SandboxOrder, attempt: string): Html {
  const amount = formatAmount(order.amountMinor, order.currency);
  return layout(
    `Pay ${amount}`,
    html`<header class="amount">
        <p class="caption">${isPaid(order) || order.closed ? 'Amount' : 'Amount due'}</p>
        <h1>${amount}</h1>
      </header>
      <dl class="facts">
        <div><dt>Plan</dt><dd>${order.planId}</dd></div>
        <div><dt>Customer</dt><dd>${order.userId}</dd></div>
        <div><dt>Order</dt><dd><code>${order.orderId}</code></dd></div>
      </dl>
      ${order.payments.length > 0 ? history(order) : ''}
      ${order.closed ? closedNotice() : form(order, attempt, amount)}`,
  );
}

/** A page with one sentence. */
export function messagePage(title: string, sentence: string): Html {
  return layout(title, html`<h1 class="message">${title}</h1><p class="quiet">${sentence}</p>`);
}

function form(order: SandboxOrder, attempt: string, amount: string): Html {
  return html`<form method="post" action="/pay/${order.providerOrderId}">
    <input type="hidden" name="attempt" value="${attempt}" />
    <div class="main-actions">
      <button class="pay" name="scenario" value="succeed">${isPaid(order) ? 'Pay again' : `Pay ${amount}`}</button>
      <button class="decline" name="scenario" value="fail">Decline</button>
    </div>
    ${GROUPS.map(group)}
  </form>
  <p class="quiet">${isPaid(order) ? 'Closing this page changes nothing.' : 'Closing this page abandons the payment: nobody is told.'}</p>`;
}

function group({ title, names }: (typeof GROUPS)[number]): Html {
  return html`<fieldset>
    <legend>${title}</legend>
    <div class="choices">
      ${names.map(name => {
        const { label, hint } = PAY_SCENARIOS.get(name) ?? { label: name, hint: '' };
        return html`<button class="choice" name="scenario" value="${name}"><b>${label}</b> <span>${hint}</span></button>`;
      })}
    </div>
  </fieldset>`;
}

function history(order: SandboxOrder): Html {
  const warning = isPaid(order) ? html`<p>This order is paid. Paying again makes another payment.</p>` : '';
  return html`<section class="history" aria-label="Payments so far">
    ${warning}
    <ul>
      ${order.payments.map(
        payment => html`<li>
          <span class="state ${payment.state}">${STATE_WORDS[payment.state]}</span>
          <code>${payment.paymentId}</code>
          <span class="sum">${formatAmount(payment.amountMinor, payment.currency)}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

function closedNotice(): Html {
  return html`<p class="closed" role="status">This order was closed and takes no more payments.</p>`;
}

function isPaid(order: SandboxOrder): boolean {
  return order.payments.some(payment => payment.state === 'captured');
}

function layout(title: string, content: Html): Html {
  return htmlDocument({
    title: `${title} · Sandbox`,
    head: html`<meta name="robots" content="noindex" />
        <link rel="stylesheet" href="/assets/pay.css" />
        <link rel="icon" href="/assets/icon.svg" />`,
    body: html`<p class="banner"><b>Sandbox</b> Test payments only. No money moves.</p>
        <main>${content}</main>`,
  });
}
