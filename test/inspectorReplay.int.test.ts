// The replay of an order: one page a step, the verdict of the check on each, and nothing of what was stored believed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readLife } from '../db/inspect/transitions.ts';
import { ORDER_STATES } from '../machines/orderStates.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { paidOrder, parkedOrder, partlyRefundedOrder } from './support/orderStories.ts';

let service: InspectedService;
let operator: Signed;
beforeAll(async () => {
  service = await startInspected();
  operator = await service.signIn('operator');
});
afterAll(() => service.close());

const replay = (id: string, step?: number | string) =>
  operator.get(`/inspector/orders/${id}/replay${step === undefined ? '' : `?step=${step}`}`);
const notice = (text: string) => /<div class="notice tone-(\w+)"[^>]*>([\s\S]*?)<\/div>/.exec(text)?.slice(1, 3) ?? [];
const stepLink = (text: string, which: string) =>
  new RegExp(`href="[^"]*step=(\\d+)#steps" data-step="${which}"`).exec(text)?.[1];

describe('a life as it was', () => {
  test('says that the replay gives the stored snapshot, on each of its steps', async () => {
    const { id } = await partlyRefundedOrder(service);
    const { version } = (await service.call('GET', `/v1/orders/${id}`)).body;
    for (let step = 1; step <= version; step++) {
      const { status, text } = await replay(id, step);
      expect(status).toBe(200);
      expect(notice(text)[0]).toBe('good');
      expect(notice(text)[1]).toContain('The replay gives the stored snapshot');
      expect(text).toContain(`after step ${step} of ${version}`);
      expect(text).toMatch(new RegExp(`aria-current="step"[^>]*>${step}<`));
    }
  });

  test('opens at the last step, and goes first, back, forward and last by links that stay within it', async () => {
    const { id } = await paidOrder(service);
    const { version } = (await service.call('GET', `/v1/orders/${id}`)).body;
    const atEnd = (await replay(id)).text;
    expect(atEnd).toContain(`after step ${version} of ${version}`);
    expect([stepLink(atEnd, 'first'), stepLink(atEnd, 'prev')]).toEqual(['1', String(version - 1)]);
    expect([stepLink(atEnd, 'next'), stepLink(atEnd, 'last')]).toEqual([undefined, undefined]);
    const atStart = (await replay(id, 1)).text;
    expect([stepLink(atStart, 'prev'), stepLink(atStart, 'next'), stepLink(atStart, 'last')]).toEqual([
      undefined,
      '2',
      String(version),
    ]);
    for (const odd of ['0', '999', '-4', 'abc', '1.5', '%00']) expect((await replay(id, odd)).status, odd).toBe(200);
  });

  test('shows at a step what came, what it changed, and what it asked for with its key and its end', async () => {
    const { id, paymentId } = await paidOrder(service);
    const life = await readLife(service.world.db, id, 100);
    const at = (type: string) => life?.transitions.find(({ eventType }) => eventType === type)?.version;
    const paid = (await replay(id, at('payment.captured'))).text;
    expect(paid).toContain(`<code>${paymentId}</code>`);
    expect(paid).toContain('<code>payments.0.paymentId</code>');
    expect(paid).toContain('webhook');
    const granted = (await replay(id, at('grant.recorded'))).text;
    expect(granted).toContain('<code>granted</code>');
    expect(granted).toContain('in the same commit');
    expect(granted).toContain(`${id}:notify:order.subscribed:${at('grant.recorded')}`);
    const opened = (await replay(id, at('checkout.opened'))).text;
    expect(opened).toContain('<code>providerOrderId</code>');
    expect(opened).toMatch(/It waits until|The deadline stays/);
  });

  test('lights on the chart only what had been walked until then, and the way being walked', async () => {
    const { id } = await paidOrder(service);
    const first = (await replay(id, 1)).text;
    expect(first).toContain('The order stands in created. It has walked: 1 order.created into created.');
    expect(first.match(/class="state current"/g)).toHaveLength(2);
    expect(first.match(/class="state unvisited"/g)).toHaveLength(2 * (ORDER_STATES.length - 1));
    expect(first.match(/class="way now"/g)).toHaveLength(2);
  });
});

describe('a life that was changed by hand', () => {
  test('is told with the path, what is stored and what the replay gives, and where to look', async () => {
    const { id } = await paidOrder(service);
    const { sql } = service.world;
    await sql`update orders set snapshot = jsonb_set(snapshot, '{context,payments,0,amountMinor}', '1') where id = ${id}`;
    const { status, text } = await replay(id, 2);
    expect(status).toBe(200);
    const [tone, told] = notice(text);
    expect(tone).toBe('bad');
    expect(told).toContain('The replay does not give what is stored.');
    expect(told).toContain('snapshot.context.payments.0.amountMinor');
    expect(told).toMatch(/stored <code>1<\/code>, replayed <code>49900<\/code>/);
  });

  test('is shown also beyond the transition that cannot be walked again', async () => {
    const { id } = await paidOrder(service);
    const { sql } = service.world;
    await sql`update transitions set event = '{"type": "xstate.stop"}' where order_id = ${id} and version = 2`;
    const { status, text } = await replay(id);
    expect(status).toBe(200);
    expect(notice(text)[1]).toContain('The event of transition 2 cannot be read');
    expect(text).toContain('replay?step=2#steps');
    expect(text).toContain('The replay does not get this far');
    expect(text).toContain('class="state current"');
  });

  test('on a chart that is gone is told in words instead of a picture', async () => {
    const { id } = await parkedOrder(service);
    await service.world.sql`update orders set machine = 'order.v0' where id = ${id}`;
    const { status, text } = await replay(id);
    expect(status).toBe(200);
    expect(notice(text)[1]).toContain('no chart named order.v0 is registered');
    expect(text).toContain(
      'The chart order.v0 is not registered here, so it cannot be drawn. The order stands in parked.',
    );
  });

  test('whatever it was changed into renders as text', async () => {
    const { id } = await paidOrder(service);
    const { sql } = service.world;
    const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;
    await sql`update transitions set event = event || ${sql.json({ reason: hostile, [hostile]: hostile })}, event_key = ${hostile}, source = 'operator' where order_id = ${id} and version = 3`;
    await sql`update orders set machine = ${hostile} where id = ${id}`;
    const { text } = await replay(id, 3);
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img');
    expect(text).toContain('&lt;script&gt;alert(1)');
  });
});

test('an order nobody knows is a page that says so, and nobody sees it without having signed in', async () => {
  expect((await replay('ord_00000000000000000000000000')).status).toBe(404);
  const { id } = await paidOrder(service);
  const { status } = await service.call('GET', `/inspector/orders/${id}/replay`, { key: null });
  expect([303, 401]).toContain(status);
});

test('reads one order by its keys, whatever else is stored', async () => {
  const { id } = await paidOrder(service);
  const { sql } = service.world;
  const seen: string[] = [];
  const spy = {
    ...service.world.db,
    query: async (text: string) => {
      seen.push(text);
      return [];
    },
  };
  await readLife(spy as unknown as typeof service.world.db, id, 10);
  const plan = await sql.begin(async tx => {
    await tx`set local enable_seqscan = off`;
    return await tx.unsafe(`explain ${seen[0]}`, [id, 10]);
  });
  const lines = plan.map(row => String(row['QUERY PLAN'])).join('\n');
  expect(lines).not.toContain('Seq Scan');
  expect(lines).toMatch(/orders_pkey/);
});
