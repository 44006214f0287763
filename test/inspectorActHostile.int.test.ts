// Whatever somebody types into the forms of the inspector, or a provider said, is text on its pages.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkOut } from './support/httpService.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { dry, dryForm, send } from './support/inspectorForms.ts';
import { HOSTILE } from './support/inspectorLists.ts';

let service: InspectedService;
let operator: Signed;

beforeAll(async () => {
  service = await startInspected();
  operator = await service.signIn('operator');
});
afterAll(() => service?.close());

describe('hostile text', () => {
  test('in every field of every form renders as text', async () => {
    const order = await checkOut(service);
    const types = [
      'payment.captured',
      'payment.failed',
      'refund.updated',
      'dispute.updated',
      'refund.requested',
      'cancel.requested',
      'retry.requested',
    ];
    const names = [
      'paymentId',
      'amountMinor',
      'currency',
      'refundId',
      'disputeId',
      'state',
      'said',
      'account',
      'live',
      'subscriptionId',
      'occurredAt',
    ];
    const fields = {
      ...Object.fromEntries(names.map(name => [name, HOSTILE])),
      reason: HOSTILE,
      by: HOSTILE.slice(0, 120),
    };
    for (const type of types) {
      const page = await operator.get(dry(order.id, type, fields));
      expect([type, page.text.includes('<img'), page.text.includes('<script>document')]).toEqual([type, false, false]);
      // Nothing can be retried, so nobody is asked why.
      if (type !== 'retry.requested') expect(page.text).toContain('&lt;img src=x');
    }
  });

  test('as a payment’s id, a reason and a name is kept and shown as text wherever it turns up', async () => {
    const order = await checkOut(service);
    const [paymentId, by] = [HOSTILE.slice(0, 100), HOSTILE.slice(0, 120)];
    const { page, form } = await dryForm(operator, order.id, 'payment.captured', {
      paymentId,
      amountMinor: '499',
      currency: 'INR',
      reason: HOSTILE,
      by,
    });
    const sent = await send(operator, order.id, 'payment.captured', form);
    const refund = await operator.get(dry(order.id, 'refund.requested', { reason: HOSTILE, by }));
    for (const text of [page.text, sent.page?.text ?? '', refund.text]) {
      expect(text).toContain('&lt;img src=x');
      expect(text).not.toContain('<img');
      expect(text).not.toContain('<script>document');
    }
  });

  test('in the cookie that tells what happened renders as text, or not at all', async () => {
    const order = await checkOut(service);
    const told = (content: string) => `${operator.cookie}; paylatch_told=${Buffer.from(content).toString('base64url')}`;
    const shown = await operator.get(`/inspector/orders/${order.id}`, {
      cookie: told(JSON.stringify([order.id, HOSTILE, HOSTILE])),
    });
    expect(shown.text).toContain('&lt;img src=x');
    expect(shown.text).not.toContain('<img');
    for (const content of ['', '{', 'null', '1', '[]', JSON.stringify(['ord_other', 'good', 'x'])]) {
      const page = await operator.get(`/inspector/orders/${order.id}`, { cookie: told(content) });
      expect([content, page.status, page.text.includes('class="just-told"')]).toEqual([content, 200, false]);
    }
  });
});
