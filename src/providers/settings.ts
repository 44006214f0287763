// What each real provider needs to be on. A provider is on when its variables are set; half of them set stops the start,
// because a checkout without webhooks, or webhooks without an API, loses payments quietly.
import { z } from 'zod';
import { MIN_SECRET_BYTES } from './signatures.ts';

/** Secrets at once while one replaces another: the old, the new, and one that was forgotten. */
const MAX_SECRETS = 3;

const secret = z
  .string()
  .refine(value => Buffer.byteLength(value) >= MIN_SECRET_BYTES, `must be at least ${MIN_SECRET_BYTES} bytes long`)
  .refine(value => /^[\x21-\x7e]+$/.test(value), 'must be printable ASCII without spaces');
const secrets = z
  .string()
  .transform(value => value.split(',').map(part => part.trim()))
  .pipe(z.array(secret).min(1).max(MAX_SECRETS, `must be at most ${MAX_SECRETS} secrets, separated by commas`));
const origin = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine(
    value => URL.canParse(value) && new URL(value).href === `${new URL(value).origin}/`,
    'must be an origin without path, query or credentials',
  )
  .transform(value => new URL(value).origin);

export const providerEnvironment = {
  RAZORPAY_KEY_ID: z
    .string()
    .regex(/^rzp_(test|live)_[A-Za-z0-9]+$/, 'must look like rzp_test_… or rzp_live_…')
    .optional(),
  RAZORPAY_KEY_SECRET: secret.optional(),
  RAZORPAY_WEBHOOK_SECRETS: secrets.optional(),
  RAZORPAY_API_URL: origin.default('https://api.razorpay.com'),
  CLOUDPAYMENTS_PUBLIC_ID: z
    .string()
    .regex(/^[A-Za-z0-9_]{8,64}$/, 'must be a Public ID, such as pk_…')
    .optional(),
  CLOUDPAYMENTS_API_SECRET: secrets.optional(),
  CLOUDPAYMENTS_API_URL: origin.default('https://api.cloudpayments.ru'),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_(test|live)_[A-Za-z0-9_]{8,}$/, 'must look like sk_test_… or sk_live_…')
    .optional(),
  STRIPE_WEBHOOK_SECRETS: secrets.optional(),
  STRIPE_API_URL: origin.default('https://api.stripe.com'),
};
const schema = z.object(providerEnvironment);

/** Variables that must not be repeated in a sentence. */
export const PROVIDER_SECRETS = [
  'RAZORPAY_KEY_SECRET',
  'RAZORPAY_WEBHOOK_SECRETS',
  'CLOUDPAYMENTS_API_SECRET',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRETS',
];

export type RazorpaySettings = {
  keyId: string;
  keySecret: string;
  webhookSecrets: string[];
  apiUrl: string;
  live: boolean;
};
/** The first secret is the one calls are made with; webhooks may be signed with any. */
export type CloudPaymentsSettings = { publicId: string; apiSecrets: string[]; apiUrl: string };
export type StripeSettings = { secretKey: string; webhookSecrets: string[]; apiUrl: string; live: boolean };
export type ProviderSettings = {
  razorpay: RazorpaySettings | null;
  cloudpayments: CloudPaymentsSettings | null;
  stripe: StripeSettings | null;
};

/** @throws Error with one sentence when a provider is set only by half */
export function providerSettings(values: z.infer<typeof schema>): ProviderSettings {
  const razorpay = whole({
    RAZORPAY_KEY_ID: values.RAZORPAY_KEY_ID,
    RAZORPAY_KEY_SECRET: values.RAZORPAY_KEY_SECRET,
    RAZORPAY_WEBHOOK_SECRETS: values.RAZORPAY_WEBHOOK_SECRETS,
  });
  const cloudpayments = whole({
    CLOUDPAYMENTS_PUBLIC_ID: values.CLOUDPAYMENTS_PUBLIC_ID,
    CLOUDPAYMENTS_API_SECRET: values.CLOUDPAYMENTS_API_SECRET,
  });
  const stripe = whole({
    STRIPE_SECRET_KEY: values.STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRETS: values.STRIPE_WEBHOOK_SECRETS,
  });
  return {
    razorpay: razorpay && {
      keyId: razorpay.RAZORPAY_KEY_ID,
      keySecret: razorpay.RAZORPAY_KEY_SECRET,
      webhookSecrets: razorpay.RAZORPAY_WEBHOOK_SECRETS,
      apiUrl: values.RAZORPAY_API_URL,
      live: razorpay.RAZORPAY_KEY_ID.startsWith('rzp_live_'),
    },
    cloudpayments: cloudpayments && {
      publicId: cloudpayments.CLOUDPAYMENTS_PUBLIC_ID,
      apiSecrets: cloudpayments.CLOUDPAYMENTS_API_SECRET,
      apiUrl: values.CLOUDPAYMENTS_API_URL,
    },
    stripe: stripe && {
      secretKey: stripe.STRIPE_SECRET_KEY,
      webhookSecrets: stripe.STRIPE_WEBHOOK_SECRETS,
      apiUrl: values.STRIPE_API_URL,
      live: /^.k_live_/.test(stripe.STRIPE_SECRET_KEY),
    },
  };
}

/** All of them set, or none. */
function whole<V extends Record<string, unknown>>(variables: V): { [K in keyof V]: NonNullable<V[K]> } | null {
  const names = Object.keys(variables);
  const missing = names.filter(name => variables[name] === undefined);
  if (missing.length === names.length) return null;
  if (missing.length > 0) {
    const set = names.filter(name => !missing.includes(name));
    throw new Error(`${missing.join(' and ')} is not set although ${set.join(' and ')} is; set all of them, or none.`);
  }
  return variables as { [K in keyof V]: NonNullable<V[K]> };
}
