// A sandbox adapter whose network is one canned answer, for tests that need no server.
import { createSandboxProvider } from '../../src/providers/sandbox/adapter.ts';

export const NOW_S = 1_767_225_600;
export const clock = () => new Date(NOW_S * 1_000);
export const secretBytes = Buffer.from('0123456789abcdef0123456789abcdef');
export const secret = `whsec_${secretBytes.toString('base64')}`;

export type Answer = { status: number; body: unknown } | Error;
type Sent = { url: string; method: string; headers: Record<string, string>; body: unknown };

/** A provider whose network is one canned answer, and what it sent there. */
export function withAnswer(answer: Answer = new Error('no call was expected')) {
  const sent: Sent[] = [];
  const fetch = (async (url: URL, init: RequestInit) => {
    const body = init.body === undefined ? undefined : JSON.parse(String(init.body));
    sent.push({ url: String(url), method: init.method!, headers: init.headers as Record<string, string>, body });
    if (answer instanceof Error) throw answer;
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    return new Response(text, { status: answer.status });
  }) as typeof globalThis.fetch;
  return { provider: createSandboxProvider({ url: 'http://sandbox.test', secret, clock, fetch }), sent };
}

export const data = { providerOrderId: 'sbo_77', paymentId: 'pay_a1', amountMinor: 49900, currency: 'INR' };
