// Acting from the inspector, over HTTP and without a script: what is shown beforehand is what happens, once, at the version
// that was seen, with a name and a reason.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOut } from './support/httpService.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { dry, dryForm, effectsOf, formIn, path, section, send, WHO, words } from './support/inspectorForms.ts';
import { giveUp, paidOrder, reservedOrder } from './support/orderStories.ts';

let service: InspectedService;
let operator: Signed;

beforeAll(async () => {
  service = await startInspected();
  operator = await service.signIn('operator');
});
afterAll(() => service?.close());

describe('the section of an order', () => {
  test('lists each event, with the reason where it would be refused, and its button is dead then', async () => {
    const order = await paidOrder(service);
    const act = section((await operator.get(`/inspector/orders/${order.id}`)).text, 'act');
    expect(words(act)).toContain('Refused now: the money has arrived; request a refund instead.');
    expect(words(act)).toContain(`Up to ₹499.00 of ${order.paymentId} can be sent back.`);
    expect(words(act)).toContain('If that much captured money can be sent back: yes');
    expect(act).not.toContain(`href="${path(order.id, 'cancel.requested')}"`);
    expect(act).toContain(`href="${path(order.id, 'refund.requested')}"`);
    for (const type of ['payment.captured', 'payment.authorized', 'refund.updated', 'dispute.updated'])
      expect(act).toContain(`href="${path(order.id, type)}"`);
  });

  test('says what a retry would run, by the keys', async () => {
    const order = await reservedOrder(service);
    await giveUp(service, order, 'capture', 'the sandbox said 500');
    const act = words(section((await operator.get(`/inspector/orders/${order.id}`)).text, 'act'));
    expect(act).toContain(`runs the effect capture again, under its own key ${order.id}:capture:${order.paymentId}`);
  });
});

describe('a dry run', () => {
  test('shows next state, differences, effects with their keys and what it means for the money, and writes nothing', async () => {
    const order = await paidOrder(service);
    const before = await service.books();
    const page = await operator.get(dry(order.id, 'refund.requested', { amountMinor: '120.50' }));
    const said = words(page.text);
    const { version } = (await service.call('GET', `/v1/orders/${order.id}`)).body;
    const key = `${order.id}:refund:${version + 1}`;
    expect(said).toContain(`This sends ₹120.50 of ${order.paymentId} back to the customer.`);
    expect(said).toContain(`under the key ${key}: pressing twice cannot send it twice`);
    expect(said).toContain('Send ₹120.50 back');
    expect(words(section(page.text, 'dry-run'))).toContain('payments.0.asked.0');
    expect(section(page.text, 'dry-run')).toContain('candidate');
    expect(await service.books()).toBe(before);
  });

  test('names what is wrong with a payment, condition by condition', async () => {
    const order = await checkOut(service);
    const fields = { paymentId: 'pay_odd', amountMinor: '500.00', currency: 'INR' };
    const said = words((await operator.get(dry(order.id, 'payment.captured', fields))).text);
    expect(said).toContain(
      'the payment is what the order costs, and its money has not gone back: no , it is ₹500.00 where the order costs ₹499.00',
    );
    expect(said).toMatch(/goes from created to parked/);
  });

  test('tells that a payment is another order’s before it is sent', async () => {
    const [mine, other] = [await checkOut(service), await paidOrder(service)];
    const fields = { paymentId: other.paymentId, amountMinor: '499', currency: 'INR' };
    const said = words((await operator.get(dry(mine.id, 'payment.captured', fields))).text);
    expect(said).toContain(`the payment belongs to another order: yes , ${other.id}`);
  });

  test('of a request stands on its page from the beginning, and its button asks only why and who', async () => {
    const order = await reservedOrder(service);
    await giveUp(service, order, 'capture', 'the sandbox said 500');
    const before = await service.books();
    const page = await operator.get(path(order.id, 'retry.requested'));
    expect(page.status).toBe(200);
    expect(words(section(page.text, 'dry-run'))).toContain(`This takes ₹499.00 of ${order.paymentId}`);
    expect(page.text).not.toContain('id="fill-in"');
    const form = formIn(page.text, `${path(order.id, 'retry.requested')}"`) ?? {};
    expect(form).toMatchObject({ reason: '', by: '' });
    expect((await operator.post(path(order.id, 'retry.requested'), form)).status).toBe(400);
    expect(await service.books()).toBe(before);
    const { flash } = await send(operator, order.id, 'retry.requested', { ...form, ...WHO });
    expect(flash).toContain('The order is authorized');
  });

  test('of what would be refused has no button, only the reason', async () => {
    const order = await paidOrder(service);
    const page = await operator.get(dry(order.id, 'cancel.requested'));
    expect(formIn(page.text, path(order.id, 'cancel.requested'))).toBeNull();
    expect(words(section(page.text, 'send'))).toContain(
      'It would be refused. The money has arrived; request a refund instead.',
    );
    const retry = await operator.get(dry(order.id, 'retry.requested'));
    expect(formIn(retry.text, path(order.id, 'retry.requested'))).toBeNull();
  });

  test('without a field that is needed says so at the field, and brings no button', async () => {
    const order = await checkOut(service);
    const page = await operator.get(dry(order.id, 'payment.captured', { amountMinor: '4,99', currency: 'inr' }));
    expect(page.status).toBe(400);
    for (const sentence of ['Payment is missing.', 'Write it in digits', 'must be an ISO 4217 code'])
      expect(words(page.text)).toContain(sentence);
    expect(formIn(page.text, path(order.id, 'payment.captured'))).toBeNull();
  });

  test('shows sums of a payment in the payment’s own currency', async () => {
    const order = await checkOut(service);
    const data = {
      providerOrderId: order.providerOrderId,
      paymentId: `pay_usd_${order.id}`,
      amountMinor: 700,
      currency: 'USD',
    };
    await service.webhook({ type: 'payment.captured', data });
    expect(words((await operator.get(dry(order.id, 'refund.requested'))).text)).toContain('This sends $7.00 of');
  });
});

describe('what is sent', () => {
  test('is done with its reason and name, and the order’s page says what came of it, once', async () => {
    const order = await paidOrder(service);
    const { form } = await dryForm(operator, order.id, 'refund.requested', { amountMinor: '100' });
    const { answer, flash, page, told } = await send(operator, order.id, 'refund.requested', form);
    expect(answer.status).toBe(303);
    expect(flash).toMatch(/^Send money back: applied\. The order is subscribed now, version \d+\.$/);
    expect(words(page?.text ?? '')).toContain('ada@ops.example : “the customer called”');
    expect(page?.headers.getSetCookie().join()).toMatch(/paylatch_told=;/);
    expect(await effectsOf(service, order.id, 'refund')).toMatchObject([{ payload: { amountMinor: 10_000 } }]);
    const again = await operator.get(path(order.id, 'refund.requested'), { cookie: `${operator.cookie}; ${told}` });
    expect(again.text).toContain('value="ada@ops.example"');
  });

  test('twice from the same form is done once, and the second is told so', async () => {
    const order = await paidOrder(service);
    const { form } = await dryForm(operator, order.id, 'refund.requested', { amountMinor: '100' });
    await send(operator, order.id, 'refund.requested', form);
    const before = await service.books();
    const { flash } = await send(operator, order.id, 'refund.requested', form);
    expect(flash).toContain('known already');
    expect(flash).toContain('Nothing was done twice');
    expect(await service.books()).toBe(before);
    expect(await effectsOf(service, order.id, 'refund')).toHaveLength(1);
  });

  test('twice at the same moment is done once', async () => {
    const order = await paidOrder(service);
    const { form } = await dryForm(operator, order.id, 'refund.requested');
    await Promise.all([1, 2, 3, 4].map(() => operator.post(path(order.id, 'refund.requested'), form)));
    expect(await effectsOf(service, order.id, 'refund')).toHaveLength(1);
  });

  test('a fact keeps who told it and why beside it, and one from the same form is kept once', async () => {
    const order = await checkOut(service);
    const fields = { paymentId: `pay_hand_${order.id}`, amountMinor: '499.00', currency: 'INR' };
    const { form } = await dryForm(operator, order.id, 'payment.captured', fields);
    const { flash, page } = await send(operator, order.id, 'payment.captured', form);
    expect(flash).toContain('The order is subscribed now');
    expect(words(page?.text ?? '')).toContain('ada@ops.example: the customer called (told by hand: payment.captured');
    const before = await service.books();
    expect((await send(operator, order.id, 'payment.captured', form)).flash).toContain('known already');
    expect(await service.books()).toBe(before);
  });

  test('after the order moved is refused with what moved it, and with a way to look again', async () => {
    const order = await checkOut(service);
    const { form } = await dryForm(operator, order.id, 'cancel.requested', { reason: 'changed their mind' });
    const data = {
      providerOrderId: order.providerOrderId,
      paymentId: `pay_fast_${order.id}`,
      amountMinor: 49_900,
      currency: 'INR',
    };
    await service.webhook({ type: 'payment.captured', data });
    const before = await service.books();
    const { answer } = await send(operator, order.id, 'cancel.requested', form);
    expect(answer.status).toBe(412);
    expect(words(answer.text)).toMatch(
      /The order moved from version 2 to 4.*Nothing was sent.*payment\.captured.*by webhook/,
    );
    expect(answer.text).toContain('reason=changed+their+mind');
    expect(await service.books()).toBe(before);
  });

  test('a fact after the order moved leaves no note either', async () => {
    const order = await checkOut(service);
    const { form } = await dryForm(operator, order.id, 'payment.failed', { paymentId: 'pay_x' });
    await service.call('POST', `/v1/orders/${order.id}/cancel`, { body: { reason: 'no' } });
    const before = await service.books();
    expect((await send(operator, order.id, 'payment.failed', form)).answer.status).toBe(412);
    expect(await service.books()).toBe(before);
  });

  test.each<Record<string, string>>([
    { key: '' },
    { key: 'evt_1' },
    { version: '' },
    { version: 'x' },
    { reason: '' },
    { by: '' },
  ])('with %o in place of what the dry run gave is refused and changes nothing', async change => {
    const order = await paidOrder(service);
    const { form } = await dryForm(operator, order.id, 'refund.requested');
    const before = await service.books();
    expect((await operator.post(path(order.id, 'refund.requested'), { ...form, ...change })).status).toBe(400);
    expect(await service.books()).toBe(before);
  });

  test.each(['order.created', 'grant.recorded', 'deadline.passed', 'checkout.opened', 'xstate.after.1', 'constructor'])(
    '%s cannot be: it belongs to the service',
    async type => {
      const order = await paidOrder(service);
      expect((await operator.get(path(order.id, type))).status).toBe(404);
      expect((await operator.post(path(order.id, type), { ...WHO, version: '5', key: 'x' })).status).toBe(404);
    },
  );
});
