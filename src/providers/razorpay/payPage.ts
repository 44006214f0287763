// The page on which an order is paid: Razorpay has none of its own, only a script that opens its form over ours. What the
// script is told stands in an attribute as data; the only code of ours is constant and allowed by its hash.
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { BASE_STYLE } from '../../pages/baseStyle.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import { htmlDocument } from '../../pages/htmlDocument.ts';
import type { PayableOrder } from '../provider.ts';
import { checkoutParams } from './checkoutParams.ts';

/** Where Razorpay serves its script and its form; there is no other place, whatever API is called. */
const CHECKOUT = 'https://checkout.razorpay.com';
const API = 'https://api.razorpay.com';
/** checkout.js loads this one by itself and does not go on without it (razorpay-magento issues 537 and 542). */
const RISK_SCRIPT = 'https://cdn.razorpay.com/static/cx/razorpay-risk-detection/bundle.js';
/** checkout.js reports to it. */
const TRACKING = 'https://lumberjack.razorpay.com';

// With callback_url alone a failure lets the payer try again within the form; success posts the signed fields back to us.
const SCRIPT = `
const page = document.getElementById('pay');
const again = document.getElementById('again');
const show = text => { document.getElementById('state').textContent = text; again.hidden = false; };
if (typeof Razorpay === 'undefined') show('The payment form could not be loaded.');
else {
  const options = JSON.parse(page.dataset.checkout);
  options.modal = { ondismiss: () => show('The payment form was closed.') };
  try { new Razorpay(options).open(); } catch { show('The payment form could not be opened.'); }
}
`;
const STYLE = `${BASE_STYLE}
#again { display: block; margin-top: 1rem; text-align: center; color: var(--accent); }
#again[hidden] { display: none; }
`;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
const SCRIPT_HASH = hashOf(SCRIPT);
const STYLE_HASH = hashOf(STYLE);

/** @throws InvalidRequest for an amount Razorpay cannot say */
export function payPage(keyId: string, order: PayableOrder): { html: string; contentSecurityPolicy: string } {
  const amount = formatAmount(order.amountMinor, order.currency);
  const options = JSON.stringify(checkoutParams(keyId, order));
  const page = htmlDocument({
    title: `Pay ${amount}`,
    head: html`<meta name="robots" content="noindex" />
        <style>${raw(STYLE)}</style>`,
    body: html`<main id="pay" data-checkout="${options}">
          <p class="caption">Amount due</p>
          <h1>${amount}</h1>
          <dl class="facts">
            <div><dt>Plan</dt><dd>${order.planId}</dd></div>
            <div><dt>Order</dt><dd><code>${order.orderId}</code></dd></div>
          </dl>
          <p class="quiet" id="state" role="status">Opening the payment form of Razorpay…</p>
          <noscript><p class="quiet">Paying with Razorpay needs JavaScript.</p></noscript>
          <a id="again" href="" hidden>Open the payment form again</a>
        </main>
        <script src="${CHECKOUT}/v1/checkout.js"></script>
        <script>${raw(SCRIPT)}</script>`,
  });
  return { html: String(page), contentSecurityPolicy: policyFor(order.callbackUrl) };
}

/**
 * Razorpay's script lays its form over the page in a frame and sets style attributes; where a bank takes over, and on the
 * way back, it posts forms. Nothing else is open.
 */
function policyFor(callbackUrl: string): string {
  return [
    "default-src 'none'",
    `script-src ${CHECKOUT} ${RISK_SCRIPT} ${SCRIPT_HASH}`,
    `frame-src ${CHECKOUT} ${API}`,
    `connect-src ${CHECKOUT} ${API} ${TRACKING}`,
    'img-src https://cdn.razorpay.com data:',
    `style-src ${STYLE_HASH}`,
    "style-src-attr 'unsafe-inline'",
    `form-action ${new URL(callbackUrl).origin} ${CHECKOUT} ${API}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
