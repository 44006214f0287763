// What the service writes down while it works: a line of JSON a decision, and none of the secrets that pass through it.
import { expect, test } from 'vitest';
import { Purchase } from './support/purchase.ts';
import { send, webhookCall } from './support/serviceClient.ts';
import { KEYS, launch, newFolder } from './support/serviceProcess.ts';

/** Stands for a value that no log may show: it travels as header, query and body. */
const CANARY = 'canary-5f0c1e';

test('every decision is one line, and no key, signature, body or query is in any', async () => {
  const service = launch({ dataDir: await newFolder(), env: { ...KEYS, LOG_LEVEL: 'trace' } });
  const url = await service.ready;
  const purchase = new Purchase();
  await purchase.finish(url);
  const body = JSON.stringify({
    type: 'payment.failed',
    data: { providerOrderId: purchase.providerOrderId, paymentId: 'p', reason: CANARY },
  });
  const told = webhookCall(url, 'evt_canary', body);
  await send(told).answer;
  await send({ ...told, headers: { ...told.headers, 'webhook-signature': `v1,${CANARY}` } }).answer;
  await fetch(`${url}/v1/orders?userId=${CANARY}`, { headers: { authorization: `Bearer ${CANARY}` } });
  await fetch(`${url}/v1/callbacks/sandbox?providerOrderId=x&paymentId=y&signature=${CANARY}`, { redirect: 'manual' });
  await service.stop();

  const lines = service
    .out()
    .split('\n')
    .filter(line => line.startsWith('{'));
  const entries = lines.map(line => JSON.parse(line));
  const decisions = entries.filter(entry => entry.msg === 'decided' && entry.orderId === purchase.orderId);
  expect(decisions.map(entry => `${entry.source} ${entry.type} ${entry.verdict}`).sort()).toEqual(
    expect.arrayContaining(['checkout checkout.opened applied', 'webhook payment.failed stale']),
  );
  // One checkout, two webhooks and two callbacks of the payment, one late failure.
  expect(decisions).toHaveLength(6);
  for (const entry of decisions)
    expect(entry).toMatchObject({
      eventKey: expect.any(String),
      state: expect.any(String),
      version: expect.any(Number),
      ms: expect.any(Number),
    });
  const everything = service.out() + service.err();
  for (const secret of [...Object.values(KEYS), CANARY, told.headers['webhook-signature'] ?? '?'])
    expect(everything).not.toContain(secret);
});
