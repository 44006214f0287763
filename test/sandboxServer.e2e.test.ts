// The sandbox server's promises: webhooks until they are heard, and a memory that outlives the process.
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeServer, useSandbox } from './support/sandboxRig.ts';

const rig = useSandbox();
const { allDelivered, api, open, provider, received, scenario, start, types, webhooks } = rig;

describe('webhooks', () => {
  it('come again under the same id, signed afresh, until they are answered with 2xx', async () => {
    rig.receiver.answers.push(500, 302, 404);
    await scenario(await open(), 'succeed');
    await received(4);
    await allDelivered();
    expect(new Set(rig.receiver.calls.map(call => call.headers['webhook-id'])).size).toBe(1);
    expect(new Set(rig.receiver.calls.map(call => Buffer.from(call.body).toString())).size).toBe(1);
    for (const call of rig.receiver.calls) expect(provider().parseWebhook(call).event).not.toBeNull();
    expect((await webhooks())[0]).toMatchObject({ status: 'delivered', attempts: 4, lastAnswer: '200' });
  });

  it('can be held back and sent in any order', async () => {
    await api('POST', '/webhooks/pause');
    await scenario(await open(), 'fail-then-succeed');
    const [captured, failed] = await webhooks();
    await api('POST', `/webhooks/${captured.webhookId}/deliver`);
    await api('POST', `/webhooks/${failed.webhookId}/deliver`);
    expect(types()).toEqual(['payment.captured', 'payment.failed']);
    await scenario(await open({ orderId: 'ord_2' }), 'succeed');
    await api('POST', '/webhooks/resume');
    await received(3);
  });

  it('are given up after their attempts and can still be sent by name', async () => {
    await api('POST', '/webhooks/pause');
    rig.receiver.answers.push(...Array(30).fill(500));
    await scenario(await open(), 'succeed');
    await api('POST', '/webhooks/resume');
    await allDelivered();
    expect(await webhooks()).toMatchObject([{ status: 'dead' }]);
    expect(rig.receiver.calls).toHaveLength(30);
    await api('POST', `/webhooks/${(await webhooks())[0].webhookId}/deliver`);
    expect((await webhooks())[0]).toMatchObject({ status: 'delivered', attempts: 31 });
  });
});

describe('a restart', () => {
  it('forgets nothing: orders, payments, keys, webhooks under way, and the port of the pay links', async () => {
    await api('POST', '/webhooks/pause');
    const id = await open();
    const told = await scenario(id, 'pay-twice', 'k1');
    const before = (await api('GET', `/orders/${id}`)).json;
    const waiting = (await webhooks()).map(webhook => webhook.webhookId).sort();
    const { url } = rig.server;
    await rig.server.close();
    expect(rig.receiver.calls).toHaveLength(0);

    await start();
    expect(rig.server.url).toBe(url);
    await received(2);
    expect(rig.receiver.calls.map(call => call.headers['webhook-id']).sort()).toEqual(waiting);
    expect((await api('GET', `/orders/${id}`)).json).toEqual(before);
    expect(await open()).toBe(id);
    expect((await scenario(id, 'pay-twice', 'k1')).payments).toEqual(told.payments);
  });

  it('in the middle of a delivery repeats it under its id', async () => {
    let answer = (_status: number) => {};
    rig.receiver.answers.push(new Promise(resolve => (answer = resolve)));
    await scenario(await open(), 'succeed');
    await received(1);
    await rig.server.close();
    answer(200);
    await start();
    await received(2);
    expect(rig.receiver.calls[0]!.headers['webhook-id']).toBe(rig.receiver.calls[1]!.headers['webhook-id']);
    await allDelivered();
    expect(await webhooks()).toMatchObject([{ status: 'delivered', attempts: 1 }]);
  });

  it('sends nothing again that was accepted', async () => {
    await scenario(await open(), 'succeed');
    await allDelivered();
    await rig.server.close();
    await start();
    expect(await webhooks()).toMatchObject([{ status: 'delivered', attempts: 1 }]);
    expect(rig.receiver.calls).toHaveLength(1);
  });

  it('takes another port when its own is somebody else’s now', async () => {
    const { port } = rig.server;
    await rig.server.close();
    const squatter = createServer();
    await new Promise<void>(resolve => squatter.listen(port, '127.0.0.1', resolve));
    await start();
    expect(rig.server.port).not.toBe(port);
    await closeServer(squatter);
    const moved = rig.server.port;
    await rig.server.close();
    await start();
    expect(rig.server.port).toBe(moved);
  });

  it('says so when it is told a port that is taken', async () => {
    await expect(start({ port: rig.server.port, dataDir: join(rig.dataDir, 'other') })).rejects.toThrow(/EADDRINUSE/);
  });

  it('drops a line that was being written when the process died, and nothing else', async () => {
    const id = await open();
    await rig.server.close();
    await appendFile(join(rig.dataDir, 'sandbox', 'orders.jsonl'), '{"providerOrderId":"sbo_half');
    await start();
    expect((await api('GET', `/orders/${id}`)).status).toBe(200);
    const second = await open({ orderId: 'ord_2' });
    await rig.server.close();
    await start();
    expect((await api('GET', `/orders/${second}`)).status).toBe(200);
  });

  it('refuses a journal that is damaged elsewhere, rather than forget money', async () => {
    await open();
    await rig.server.close();
    const path = join(rig.dataDir, 'sandbox', 'orders.jsonl');
    const text = await readFile(path, 'utf8');
    await writeFile(path, `{"broken\n${text}`);
    await expect(start()).rejects.toThrow(/Line 1 of .*orders\.jsonl cannot be read/);
    await writeFile(path, text);
    await start();
  });

  it('is not needed for an answer to be on disk', async () => {
    const id = await open();
    const { payments } = await scenario(id, 'webhook-never');
    expect(await readFile(join(rig.dataDir, 'sandbox', 'orders.jsonl'), 'utf8')).toContain(payments[0].paymentId);
  });
});
