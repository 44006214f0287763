// Retry from the inspector, of one order and of all that are stuck for one cause; and who may not act at all.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { dry, dryForm, effectsOf, formIn, path, section, send, WHO, words } from './support/inspectorForms.ts';
import { giveUp, paidOrder, parkedOrder, reservedOrder } from './support/orderStories.ts';

let service: InspectedService;
let operator: Signed;
let viewer: Signed;

beforeAll(async () => {
  service = await startInspected();
  operator = await service.signIn('operator');
  viewer = await service.signIn('viewer');
});
afterAll(() => service?.close());

describe('a retry', () => {
  test('of one order runs what was shown, and says how each part ended', async () => {
    const order = await reservedOrder(service);
    await giveUp(service, order, 'capture', 'the sandbox said 500');
    const { page, form } = await dryForm(operator, order.id, 'retry.requested');
    expect(words(page.text)).toContain(
      `This takes ₹499.00 of ${order.paymentId} that is reserved. It is sent once, under the key ${order.id}:capture:${order.paymentId}`,
    );
    const { flash } = await send(operator, order.id, 'retry.requested', form);
    expect(flash).toBe('Retry: the effect capture: runs again. The order is authorized.');
    expect(await effectsOf(service, order.id, 'capture')).toMatchObject([{ status: 'pending' }]);
    const before = await service.books();
    expect((await send(operator, order.id, 'retry.requested', form)).flash).toContain('Nothing was run twice');
    expect(await service.books()).toBe(before);
  });

  test('of a cause shows a sample, then a result for each order, and stops for none', async () => {
    const dead = [await paidOrder(service), await paidOrder(service)];
    for (const order of dead) await giveUp(service, order, 'notify', 'the merchant answered 500');
    expect((await operator.get('/inspector/stuck')).text).toContain('Choose a cause, and all that are stuck for it');
    const list = await operator.get('/inspector/stuck?cause=effect_dead');
    expect(list.text).toContain('action="/inspector/stuck/retry"');
    const before = await service.books();
    const sample = await operator.get('/inspector/stuck/retry?cause=effect_dead');
    expect(words(sample.text)).toContain('runs the effect notify again');
    expect(await service.books()).toBe(before);
    const form = formIn(sample.text, '"/inspector/stuck/retry"') ?? {};
    const result = await operator.post('/inspector/stuck/retry', { ...form, ...WHO });
    expect(result.status).toBe(200);
    for (const { id } of dead) expect(section(result.text, 'results')).toContain(`href="/inspector/orders/${id}"`);
    expect(words(result.text)).toMatch(/\d+ orders: \d+ move again/);
    const after = await service.books();
    await operator.post('/inspector/stuck/retry', { ...form, ...WHO });
    expect(await service.books()).toBe(after);
  });

  test('of a cause goes on behind the page before it, under the same key', async () => {
    for (let n = 0; n < 27; n++) await giveUp(service, await paidOrder(service), 'notify', 'down');
    const sample = await operator.get('/inspector/stuck/retry?cause=effect_dead');
    const first = await operator.post('/inspector/stuck/retry', {
      ...formIn(sample.text, '"/inspector/stuck/retry"'),
      ...WHO,
    });
    expect(words(first.text)).toContain('25 orders: 25 move again');
    const next = formIn(first.text, '"/inspector/stuck/retry"');
    expect(next).toMatchObject({ ...WHO, cursor: expect.stringMatching(/^ord_/) });
    const second = await operator.post('/inspector/stuck/retry', next ?? {});
    expect(words(second.text)).toContain('2 orders: 2 move again');
    expect(words(second.text)).toContain('The end of the list is reached.');
  });

  test('of a cause where nothing can be run again has a dead button', async () => {
    await parkedOrder(service);
    const page = await operator.get('/inspector/stuck/retry?cause=parked');
    expect(words(page.text)).toContain('It would be refused for each of them');
    expect(formIn(page.text, '"/inspector/stuck/retry"')).toBeNull();
  });

  test('of a cause that is none, or without who and why, is refused', async () => {
    expect((await operator.get('/inspector/stuck/retry?cause=nothing')).status).toBe(400);
    const before = await service.books();
    for (const fields of [{ ...WHO, reason: '' }, { ...WHO, by: '' }, WHO])
      expect((await operator.post('/inspector/stuck/retry', { cause: 'parked', ...fields })).status).toBe(400);
    expect(await service.books()).toBe(before);
  });
});

describe('whoever may only look', () => {
  test('sees the dry run and no live button, is told why, and a post of theirs is refused', async () => {
    const order = await paidOrder(service);
    const { form } = await dryForm(operator, order.id, 'refund.requested');
    const page = await viewer.get(dry(order.id, 'refund.requested'));
    expect(words(page.text)).toContain('This sends ₹499.00');
    expect(formIn(page.text, path(order.id, 'refund.requested'))).toBeNull();
    expect(words(section(page.text, 'send'))).toContain('signed in to look only');
    expect(words(section((await viewer.get(`/inspector/orders/${order.id}`)).text, 'act'))).toContain(
      'signed in to look only',
    );
    const before = await service.books();
    expect((await viewer.post(path(order.id, 'refund.requested'), { ...form, csrf: viewer.csrf })).status).toBe(403);
    expect((await viewer.post('/inspector/stuck/retry', { cause: 'parked', key: form.key ?? '', ...WHO })).status).toBe(
      403,
    );
    expect(await service.books()).toBe(before);
  });
});
