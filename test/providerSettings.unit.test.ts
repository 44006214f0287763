// A real provider is on when its variables are set, and half of them set stops the start with one sentence.
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

const SECRET = 's'.repeat(32);
const ALL = {
  razorpay: { RAZORPAY_KEY_ID: 'rzp_test_abc123', RAZORPAY_KEY_SECRET: SECRET, RAZORPAY_WEBHOOK_SECRETS: SECRET },
  cloudpayments: { CLOUDPAYMENTS_PUBLIC_ID: 'pk_0123456789', CLOUDPAYMENTS_API_SECRET: SECRET },
  stripe: { STRIPE_SECRET_KEY: `sk_test_${SECRET}`, STRIPE_WEBHOOK_SECRETS: `whsec_${SECRET}` },
};
type Name = keyof typeof ALL;

const refusal = (env: Record<string, string>) => {
  try {
    readConfig(env);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('was not refused');
};

describe.each(Object.entries(ALL))('%s', (name, variables) => {
  test('is on with all of its variables, and the others stay off', () => {
    const { providers } = readConfig(variables);
    for (const other of Object.keys(ALL)) expect(providers[other as Name] !== null).toBe(other === name);
  });

  test.each(Object.keys(variables))('stops the start when only %s is missing', missing => {
    const some = Object.fromEntries(Object.entries(variables).filter(([variable]) => variable !== missing));
    const sentence = refusal(some);
    expect(sentence).toMatch(new RegExp(`^${missing} is not set although `));
    expect(sentence).not.toContain(SECRET);
  });

  test.each(Object.entries(variables).filter(([, value]) => value.includes(SECRET)))(
    'refuses a short %s without repeating it',
    variable => {
      const sentence = refusal({ ...variables, [variable]: 'short-secret' });
      expect(sentence).toMatch(new RegExp(`^${variable} .*must`));
      expect(sentence).not.toContain('short-secret');
    },
  );
});

test('several webhook secrets are taken at once, separated by commas, three at most', () => {
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(letter => letter.repeat(24)) as [string, string, string, string];
  const two = readConfig({ ...ALL.razorpay, RAZORPAY_WEBHOOK_SECRETS: `${a}, ${b}` });
  expect(two.providers.razorpay?.webhookSecrets).toEqual([a, b]);
  expect(refusal({ ...ALL.razorpay, RAZORPAY_WEBHOOK_SECRETS: [a, b, c, d].join(',') })).toMatch(/at most 3 secrets/);
});

test('test and live mode are read from the keys', () => {
  expect(readConfig(ALL.razorpay).providers.razorpay?.live).toBe(false);
  expect(readConfig({ ...ALL.razorpay, RAZORPAY_KEY_ID: 'rzp_live_abc123' }).providers.razorpay?.live).toBe(true);
  expect(readConfig(ALL.stripe).providers.stripe?.live).toBe(false);
  expect(readConfig({ ...ALL.stripe, STRIPE_SECRET_KEY: `sk_live_${SECRET}` }).providers.stripe?.live).toBe(true);
});

test('the addresses are origins and default to the real ones', () => {
  expect(readConfig(ALL.stripe).providers.stripe?.apiUrl).toBe('https://api.stripe.com');
  expect(readConfig({ ...ALL.stripe, STRIPE_API_URL: 'http://127.0.0.1:4000/' }).providers.stripe?.apiUrl).toBe(
    'http://127.0.0.1:4000',
  );
  expect(refusal({ ...ALL.stripe, STRIPE_API_URL: 'http://127.0.0.1:4000/v1' })).toMatch(
    /^STRIPE_API_URL must be an origin/,
  );
});
