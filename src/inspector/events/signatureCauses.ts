// Why the signature of a call does not hold, provider by provider, in the order in which causes are likely: what it looks
// like in our answer, which the provider's dashboard shows with each delivery, and what to do. Protocol facts are those of
// each adapter; where a provider keeps its secrets is told at length in docs/providers.

export type SignatureCause = { cause: string; sign: string; remedy: string };

export type SignatureHelp = {
  title: string;
  /** The setting that holds the secret. */
  setting: string;
  header: string;
  /** Where the provider shows its deliveries and our answers to them. */
  deliveries: string;
  causes: readonly SignatureCause[];
};

const ANSWERED = 'Our answer says: ';

const proxy = (header: string): SignatureCause => ({
  cause: 'A proxy in front of us changed the call',
  sign: `It fails for every delivery, also right after the secret was set anew. The signature is over the bytes of the body, and ${header} must come through.`,
  remedy:
    'Have the proxy pass body and headers on untouched: no re-encoding, no JSON filter, no decompression of requests. Send one delivery past it to see that it holds.',
});
const stranger = (header: string): SignatureCause => ({
  cause: 'Somebody else calls',
  sign: `Other webhooks hold. ${ANSWERED}the ${header} header is missing, or not what it must be.`,
  remedy:
    'Nothing needs to be done: nothing of such a call is read or kept. Where it is much, the access log of the proxy says from where.',
});
const clock: SignatureCause = {
  cause: 'The clocks differ',
  sign: `${ANSWERED}“signed too long ago” or “too far in the future”. Five minutes are allowed, both ways.`,
  remedy:
    'Compare the time of this machine (date -u) with a clock you trust, and have it set by NTP. A proxy that holds calls back for minutes looks the same.',
};

const HELP: Readonly<Record<string, SignatureHelp>> = {
  stripe: {
    title: 'Stripe',
    setting: 'STRIPE_WEBHOOK_SECRETS',
    header: 'Stripe-Signature',
    deliveries: 'Developers → Webhooks → the endpoint → Event deliveries',
    causes: [
      {
        cause: 'The secret is that of another endpoint or mode',
        sign: `${ANSWERED}no v1 signature matches. Each endpoint has a secret of its own, and so have test mode and the command line’s listener.`,
        remedy:
          'Reveal the signing secret (whsec_…) of the very endpoint that calls here, compare it with STRIPE_WEBHOOK_SECRETS, and restart.',
      },
      {
        cause: 'The secret was rolled',
        sign: 'It began at the time of the change. Stripe signs with both for at most a day, and with the new one only after that.',
        remedy:
          'Set STRIPE_WEBHOOK_SECRETS=new,old and restart. What failed meanwhile Stripe delivers again for three days.',
      },
      clock,
      proxy('Stripe-Signature'),
      stranger('stripe-signature'),
    ],
  },
  razorpay: {
    title: 'Razorpay',
    setting: 'RAZORPAY_WEBHOOK_SECRETS',
    header: 'X-Razorpay-Signature',
    deliveries: 'Account & Settings → Webhooks → the webhook',
    causes: [
      {
        cause: 'The webhook has no secret, or another one',
        sign: `${ANSWERED}the header must be 64 hexadecimal digits (no secret in the dashboard), or does not match the body (another one). It is not the key secret, and test and live mode each have their own.`,
        remedy:
          'Set the secret of the webhook in the dashboard anew, and the same text in RAZORPAY_WEBHOOK_SECRETS; restart.',
      },
      {
        cause: 'The secret was changed',
        sign: 'Some hold and some do not: what happened before the change stays signed with the old secret, however late it is delivered.',
        remedy:
          'Set RAZORPAY_WEBHOOK_SECRETS=new,old for two days. Hurry: after 24 hours of failures Razorpay switches the webhook off.',
      },
      {
        cause: 'A customer came back with a signature by the old API key',
        sign: 'The API key was regenerated while customers were paying. Their browsers are counted here, too.',
        remedy: 'Nothing: the webhook tells of their payment all the same.',
      },
      proxy('X-Razorpay-Signature'),
      stranger('x-razorpay-signature'),
    ],
  },
  cloudpayments: {
    title: 'CloudPayments',
    setting: 'CLOUDPAYMENTS_API_SECRET',
    header: 'Content-HMAC or X-Content-HMAC',
    deliveries: 'the site’s notifications',
    causes: [
      {
        cause: 'The API password is that of another site',
        sign: `${ANSWERED}no signature matches the body. Notifications are signed with the API password of the site they come from.`,
        remedy: 'Copy the API password of the site into CLOUDPAYMENTS_API_SECRET and restart.',
      },
      {
        cause: 'The API password was changed',
        sign: 'It began at the time of the change, and our own calls to CloudPayments fail since, too: one secret does both.',
        remedy: 'Set CLOUDPAYMENTS_API_SECRET=new,old and restart; drop the old one after three days.',
      },
      {
        cause: 'The notification is sent in another form',
        sign: 'Only some types fail. The method must be POST, the encoding UTF-8, the format CloudPayments.',
        remedy: 'Compare the settings of each notification of the site with those in docs/providers/cloudpayments.md.',
      },
      proxy('Content-HMAC'),
      stranger('Content-HMAC'),
    ],
  },
  sandbox: {
    title: 'The sandbox',
    setting: 'SANDBOX_WEBHOOK_SECRET',
    header: 'webhook-signature',
    deliveries: 'the page of an order at the sandbox',
    causes: [
      {
        cause: 'Two services, one sandbox',
        sign: `${ANSWERED}no signature matches. The sandbox signs with its own secret: that of DATA_DIR, or SANDBOX_WEBHOOK_SECRET.`,
        remedy: 'Give both the same SANDBOX_WEBHOOK_SECRET and restart them.',
      },
      clock,
      proxy('webhook-signature'),
      stranger('webhook-signature'),
    ],
  },
};

/** Null for a provider nobody has described. */
export const signatureHelp = (provider: string): SignatureHelp | null =>
  Object.hasOwn(HELP, provider) ? (HELP[provider] ?? null) : null;
