// `npm run demo`: one purchase played from a terminal, with everything that went wrong in the shops this service comes
// from: callback and webhook at the same instant, duplicates, a late failure. Prints each verdict and what is left.
import { parseArgs } from 'node:util';
import { systemClock, systemRandom } from '../clock.ts';
import { readConfig } from '../config.ts';
import { idsFrom } from '../ids.ts';
import { readKeptKeys } from '../keys.ts';
import { callbackText, sandboxApiKey } from '../providers/sandbox/keys.ts';
import { decodeSecret, hexHmac, signStandardWebhook } from '../providers/signatures.ts';
import { startOwnService } from './startOwn.ts';

const PLAN = 'pro-monthly';
const DUPLICATES = 3;

type Target = { url: string; apiKey: string; secret: Buffer };
type Answer = Record<string, unknown>;

const newId = idsFrom(systemClock, systemRandom);
const say = (line = '') => process.stdout.write(`${line}\n`);

async function call(url: string, init: RequestInit): Promise<Answer> {
  const asked = `${init.method ?? 'GET'} ${url}`;
  const response = await fetch(url, init).catch((error: Error) => {
    const { message, code } = (error.cause ?? error) as NodeJS.ErrnoException;
    throw new Error(`${asked} could not be reached: ${message || code}`);
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${asked} answered ${response.status}: ${text}`);
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Error(`${new URL(url).origin} is not a Paylatch: its answer to ${asked} is not JSON`);
  }
}

const json = (body: unknown, headers: Record<string, string>): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** Plays the purchase against a running service and prints what it answers. */
async function play({ url, apiKey, secret }: Target): Promise<void> {
  const merchant = { authorization: `Bearer ${apiKey}` };
  const userId = `demo-${newId('req').slice(-8)}`;
  const checkout = await call(
    `${url}/v1/checkouts`,
    json({ userId, planId: PLAN, provider: 'sandbox' }, { ...merchant, 'idempotency-key': newId('req') }),
  );
  const order = checkout.order as { id: string; amountMinor: number; currency: string; state: string };
  const { providerOrderId, url: payUrl } = checkout.checkout as { providerOrderId: string; url: string };
  say(`checkout            order ${order.id} is ${order.state}, ${order.amountMinor} ${order.currency} minor units`);

  // The customer pays at the provider; its own webhook is held back, because the demo sends it itself.
  const sandbox = new URL(payUrl).origin;
  const paid = await call(
    `${sandbox}/api/orders/${providerOrderId}/scenarios/webhook-never`,
    json({}, { authorization: `Bearer ${sandboxApiKey(secret)}` }),
  );
  const [payment] = paid.payments as { paymentId: string }[];
  if (!payment) throw new Error('the sandbox made no payment');
  const { paymentId } = payment;
  say(`payment             ${paymentId} at the sandbox`);
  say();

  const money = { providerOrderId, paymentId, amountMinor: order.amountMinor, currency: order.currency };
  const sendWebhook = (type: string, data: object, id: string) => {
    const body = JSON.stringify({ type, data });
    const timestampS = Math.floor(systemClock().getTime() / 1000);
    const headers = signStandardWebhook(secret, id, timestampS, Buffer.from(body));
    return call(`${url}/v1/webhooks/sandbox`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  };
  const webhookId = newId('evt');
  const signature = hexHmac(secret, callbackText(providerOrderId, paymentId));
  const [callback, webhook] = await Promise.all([
    call(`${url}/v1/callbacks/sandbox`, json({ providerOrderId, paymentId, signature }, {})),
    sendWebhook('payment.captured', money, webhookId),
  ]);
  say(`callback            ${callback.status}, the order is ${callback.state}      (sent at the same instant)`);
  say(`webhook             ${webhook.verdict}, the order is ${webhook.state}`);
  for (let i = 1; i <= DUPLICATES; i++) {
    const again = await sendWebhook('payment.captured', money, i === 1 ? webhookId : newId('evt'));
    say(
      `duplicate ${i}         ${again.verdict}${i === 1 ? '      (the same webhook again)' : '      (the same payment under another event id)'}`,
    );
  }
  const late = await sendWebhook(
    'payment.failed',
    { ...money, paymentId: `${paymentId}_first_try`, reason: 'card declined' },
    newId('evt'),
  );
  say(`late failure        ${late.verdict}, the order is ${late.state}`);
  say();
  await show(url, merchant, order.id, userId);
}

async function show(url: string, headers: Record<string, string>, orderId: string, userId: string): Promise<void> {
  const timeline = await call(`${url}/v1/orders/${orderId}/timeline`, { headers });
  say('transitions');
  for (const t of timeline.transitions as Answer[])
    say(`  ${t.version}  ${String(t.type).padEnd(18)} ${t.from ?? '—'} → ${t.to}   (${t.source})`);
  say('received');
  for (const r of timeline.received as Answer[])
    say(
      `  ${String(r.verdict).padEnd(10)} ${String(r.type).padEnd(18)} ${r.eventKey}   ${r.deliveries === 1 ? 'once' : `${r.deliveries} times`}`,
    );
  const access = await call(`${url}/v1/users/${userId}/access?product=pro`, { headers });
  say(
    `access              ${access.access ? 'yes' : 'no'} (${access.reason}), until ${access.until}, from ${(access.grants as unknown[]).length} grant`,
  );
}

async function runningTarget(url: string): Promise<Target> {
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
    throw new Error(`--url ${url} is not an http or https URL`);
  const config = readConfig();
  const kept = await readKeptKeys(config.dataDir);
  const apiKey = config.apiKey ?? kept?.apiKey;
  const secret = config.sandbox?.secret ?? kept?.sandboxWebhookSecret;
  if (!apiKey || !secret) {
    throw new Error(
      `the keys of ${url} are not known: run this where its DATA_DIR is, or set API_KEY, SANDBOX=true and SANDBOX_WEBHOOK_SECRET`,
    );
  }
  return { url: new URL(url).origin, apiKey, secret: decodeSecret(secret) };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { url: { type: 'string' } } });
  if (values.url) return play(await runningTarget(values.url));
  const own = await startOwnService(readConfig().path);
  try {
    say(`A service and a database of its own, at ${own.url}`);
    say();
    await play({ url: own.url, apiKey: own.keys.apiKey, secret: decodeSecret(own.keys.sandboxWebhookSecret) });
  } finally {
    await own.stop();
  }
}

main().catch((error: unknown) => {
  const sentence = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The demo stopped: ${sentence.trim().replace(/\.?$/, '.')}\n`);
  process.exitCode = 1;
});
