// The page of one order, over HTTP: it says what the order waits for and everything that happened, it works for orders that
// cannot be read and for those with a very long past, and it never writes anything.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import type { ProviderPayment } from '../src/providers/provider.ts';
import { checkOut, PLAN, pay } from './support/httpService.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { giveUp, paidOrder, parkedOrder, partlyRefundedOrder, reservedOrder } from './support/orderStories.ts';

let service: InspectedService;
let operator: Signed;
const statements: { text: string; params: unknown[] }[] = [];

const watched = (db: Database): Database => ({
  ...db,
  query(text, params) {
    statements.push({ text, params: [...params] });
    return db.query(text, params);
  },
});

beforeAll(async () => {
  service = await startInspected({
    db: watched,
    change: core => {
      // The sandbox that is played here has no list; this one has what it was paid.
      const sandbox = core.providers.get('sandbox')!;
      const findPayments = async ({ providerOrderId }: { providerOrderId: string }) => {
        if (service.sandbox.mood !== 'well') return sandbox.findPayments({ orderId: '', providerOrderId });
        const all = [...service.sandbox.payments.values()] as unknown as ProviderPayment[];
        return all.filter(payment => payment.providerOrderId === providerOrderId);
      };
      return { providers: new Map([['sandbox', { ...sandbox, findPayments }]]) };
    },
  });
  operator = await service.signIn('operator');
});
afterAll(() => service?.close());

const page = async (id: string, query = '') => (await operator.get(`/inspector/orders/${id}${query}`)).text;
/** What a person reads of it. */
const words = (html: string) =>
  html
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');
const section = (html: string, id: string) =>
  html.slice(html.indexOf(`<section class="panel" id="${id}"`)).split('</section>')[0] ?? '';

describe('what it says', () => {
  test('a subscribed order waits for nothing, and what was not applied is there with the reason', async () => {
    const order = await paidOrder(service);
    const timeline = words(section(await page(order.id), 'timeline'));
    expect(timeline).toContain('Not applied, the order knew it already. The order was subscribed.');
    expect(timeline).toContain('Not applied, it came too late to matter. The order was subscribed.');
    expect(timeline).toContain('delivered 2 times');
    expect(timeline).toContain('“card declined”');
  });

  test('an event and the transitions it made are one entry, with verdict, source, versions and what changed', async () => {
    const order = await paidOrder(service);
    const entriesOf = async (query = '') =>
      section(await page(order.id, query), 'timeline')
        .split('<li class="entry ')
        .slice(1);
    const { body } = await service.call('GET', `/v1/orders/${order.id}/timeline`);
    const entries = await entriesOf();
    const paid = entries.filter(entry => entry.includes(`data-copy="evt_${order.paymentId}"`));
    expect(paid).toHaveLength(1);
    const [told] = paid.map(words);
    expect(told).toMatch(/webhook payment\.captured from sandbox applied/);
    expect(told).toMatch(/→ to captured version 4 .*→ to subscribed version 5 , grant\.recorded/);
    expect(told).toMatch(/changes? of version 4 .*payments\S* – /);
    // Every transition once, whoever made it; every event that made none once, with why.
    const versions = (some: string[]) =>
      some.flatMap(entry => [...entry.matchAll(/replay\?step=(\d+)"/g)].map(([, version]) => Number(version)));
    const all = body.transitions.map(({ version }: { version: number }) => version);
    expect(versions(entries).toSorted((a, b) => a - b)).toEqual(all);
    expect(versions(await entriesOf('?show=transitions')).toSorted((a, b) => a - b)).toEqual(all);
    const unapplied = await entriesOf('?show=unapplied');
    expect(unapplied.map(entry => /Not applied, [^.:]+/.exec(words(entry))?.[0])).toEqual([
      'Not applied, it came too late to matter',
      'Not applied, the order knew it already',
    ]);
    expect(entries.filter(entry => entry.startsWith('entry-unapplied'))).toHaveLength(2);
    expect((await entriesOf('?show=arrived')).length).toBe(body.received.length);
  });

  test('an event that waited for its order stands where it moved it, and says when it arrived', async () => {
    const order = await checkOut(service);
    const { paymentId } = pay(service, order.providerOrderId) as { paymentId: string };
    await service.webhook(
      {
        type: 'payment.captured',
        data: { providerOrderId: order.providerOrderId, paymentId, amountMinor: PLAN.amountMinor, currency: 'INR' },
      },
      { id: `evt_${paymentId}` },
    );
    const arrived = (minutes: number) =>
      service.world
        .sql`update inbox set received_at = received_at - ${minutes} * interval '1 minute' where event_key = ${`evt_${paymentId}`}`;
    expect(words(section(await page(order.id), 'timeline'))).not.toMatch(/(?<!it )arrived 20/);
    await arrived(90);
    expect(words(section(await page(order.id), 'timeline'))).toMatch(
      /captured version 3 .*(?<!it )arrived 20\d\d-.* as it arrived .*checkout checkout\.opened/,
    );
  });

  test('a capture that failed three times is waited for, with its last error and its next try', async () => {
    const order = await reservedOrder(service);
    const head = words(await page(order.id));
    expect(head).toContain(`Waits for the capture of ${order.paymentId}.`);
    expect(head).toContain('Its third try ended with: the sandbox does not answer');
    expect(head).toMatch(/Due in 40 s\s*: next try/);
  });

  test('an effect that was given up makes it stuck, and its key, tries and error stand among the effects', async () => {
    const order = await partlyRefundedOrder(service);
    await giveUp(service, order, 'refund', 'insufficient balance');
    const html = await page(order.id);
    expect(words(html)).toContain('Stuck: the refund of ₹100.00 from');
    const effects = words(section(html, 'effects'));
    expect(effects).toContain('insufficient balance');
    expect(effects).toContain('12 of 15');
    expect(effects).toContain(`${order.id}:refund:`);
  });

  test('the money equation is written out, with what is under way', async () => {
    const order = await partlyRefundedOrder(service);
    const money = words(section(await page(order.id), 'money'));
    expect(money).toMatch(
      /captured ₹499\.00 − refunded ₹50\.00 − lost in disputes ₹0\.00 = net ₹449\.00 price ₹499\.00/,
    );
    expect(money).toContain('Partial: ₹50.00 of the price went back.');
    expect(money).toMatch(/₹100\.00 of pay_\S+ are set aside/);
  });

  test('each transition has its source, its reason and what it changed', async () => {
    const order = await partlyRefundedOrder(service);
    const transitions = words(section(await page(order.id), 'transitions'));
    expect(transitions).toContain('they give the stored snapshot');
    expect(transitions).toContain('“goodwill for the outage”');
    expect(transitions).toMatch(/payments\.0\.asked\S* – /);
    expect(transitions).toContain(`Asked for the refund of ₹100.00 from ${order.paymentId}`);
  });

  test('access is explained at any instant that is asked for', async () => {
    const order = await paidOrder(service);
    expect(words(section(await page(order.id), 'access'))).toContain('Yes, paid until');
    const before = words(section(await page(order.id, '?at=2020-01-01T00:00:00'), 'access'));
    expect(before).toContain('No, nothing had been granted by then.');
    const bent = words(section(await page(order.id, '?at=2020-02-31T00:00'), 'access'));
    expect(bent).toContain('That is not an instant');
  });

  test('a parked order names what does not fit', async () => {
    const order = await parkedOrder(service);
    const html = words(await page(order.id));
    expect(html).toContain('Stuck: a person must decide about this order. 500.00 INR');
    expect(html).toContain('are held that do not pay for this order');
  });
});

describe('whatever the order is like', () => {
  test('an id that nobody knows answers 404 with a search for it', async () => {
    for (const id of ['ord_nothing', '%3Cscript%3Ealert(1)%3C%2Fscript%3E', '%00']) {
      const answer = await operator.get(`/inspector/orders/${id}`);
      expect(answer.status, id).toBe(404);
      expect(answer.text).toContain('action="/inspector/orders"');
      expect(answer.text).not.toContain('<script>alert');
    }
  });

  test('an order whose snapshot or chart cannot be read is shown from its tables and says so', async () => {
    const order = await paidOrder(service);
    const { sql } = service.world;
    for (const broken of [sql`machine = 'order.v0'`, sql`machine = 'order.v1', snapshot = '{"a": 1}'`]) {
      await sql`update orders set ${broken} where id = ${order.id}`;
      const answer = await operator.get(`/inspector/orders/${order.id}`);
      expect(answer.status).toBe(200);
      expect(words(answer.text)).toContain('Stuck: the order cannot be read');
      expect(words(section(answer.text, 'money'))).toContain('Paid: exactly what the order costs is held.');
      expect(words(section(answer.text, 'timeline'))).toContain('payment.captured');
    }
  });

  test('a past of hundreds of events is told in pages, each entry once, whatever kinds are shown', async () => {
    const order = await paidOrder(service);
    await service.world
      .sql`insert into inbox (event_key, provider, event_type, order_id, source, raw, body_hash, headers, received_at, verdict)
      select 'flood_' || n, 'sandbox', 'payment.failed', ${order.id}, 'webhook', '{}', 'h', '{}', '2026-02-01T00:00:00Z'::timestamptz + (n / 3) * interval '1 ms', 'stale'
      from generate_series(1, 250) n`;
    for (const [show, expected] of [
      ['all', 250],
      ['unapplied', 250],
      ['transitions', 0],
    ] as const) {
      const seen: string[] = [];
      let next: string | undefined = `/inspector/orders/${order.id}?show=${show}`;
      for (let pages = 0; next && pages < 6; pages++) {
        const timeline: string = section((await operator.get(next.replaceAll('&amp;', '&'))).text, 'timeline');
        seen.push(...[...timeline.matchAll(/data-copy="(flood_\d+)"/g)].map(match => match[1]!));
        next = /href="([^"]+)" rel="next"/.exec(timeline)?.[1];
      }
      expect(next, show).toBeUndefined();
      expect(new Set(seen).size, show).toBe(expected);
      expect(seen.length, show).toBe(expected);
    }
  });

  test('hostile text in every field is text', async () => {
    const order = await paidOrder(service);
    const evil = `<img src=x onerror="alert(1)"><script>alert(2)</script>'"`;
    const { sql } = service.world;
    await sql`update orders set metadata = ${sql.json({ [evil]: evil, note: evil })}, provider_account = ${evil}, product = ${evil}, plan_id = ${evil}, user_id = ${evil}, provider_order_id = ${evil}, kind = ${evil} where id = ${order.id}`;
    await sql`update inbox set detail = ${evil}, event_type = ${evil}, headers = ${sql.json({ [evil]: evil, 'user-agent': evil })}, raw = ${Buffer.from(JSON.stringify({ [evil]: evil, reason: evil }))} where order_id = ${order.id} and verdict = 'stale'`;
    await sql`update outbox set last_error = ${evil}, status = 'dead', payload = ${sql.json({ cause: evil, paymentId: evil, type: evil })} where order_id = ${order.id}`;
    await sql`update payments set payment_id = ${evil}, state = ${evil} where order_id = ${order.id}`;
    await sql`update transitions set event = event || ${sql.json({ reason: evil, by: evil, more: { deep: evil } })} where order_id = ${order.id} and version > 1`;
    await sql`insert into findings (id, fingerprint, kind, severity, order_id, detail) values ('fnd_evil', 'evil', ${evil}, ${evil}, ${order.id}, ${evil})`;
    const [{ key }] =
      (await sql`select event_key as key from inbox where order_id = ${order.id} and verdict = 'stale'`) as unknown as [
        { key: string },
      ];
    for (const path of ['', `/events/sandbox/${key}`, '/provider']) {
      const { status, text } = await operator.get(`/inspector/orders/${order.id}${path}`);
      expect(status, path).toBe(200);
      expect(text, path).not.toMatch(/<img|<script>|onerror="/);
      expect(text, path).toContain('&lt;img');
    }
  });
});

describe('the event as it arrived', () => {
  test('is shown with what is secret or personal masked, and what became of it', async () => {
    const order = await paidOrder(service);
    const key = 'odd/key?with=all %2F&<signs>';
    const data = {
      providerOrderId: order.providerOrderId,
      paymentId: order.paymentId,
      amountMinor: PLAN.amountMinor,
      currency: 'INR',
    };
    const body = { type: 'payment.captured', data: { ...data, email: 'bob@example.com', card: { last4: '4242' } } };
    await service.webhook(body, { id: 'evt_masked' });
    await service.world.sql`update inbox set event_key = ${key} where event_key = 'evt_masked'`;
    const link = /href="([^"]+events\/sandbox\/odd[^"]+)"/.exec(await page(order.id))?.[1];
    const answer = await operator.get(link!.replaceAll('&amp;', '&'));
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(order.paymentId);
    expect(answer.text).toContain('49900');
    expect(answer.text).not.toMatch(/bob@|4242|whsec|v1,/);
    expect(words(answer.text)).toContain('2 values masked');
    expect(words(answer.text)).toContain('Not applied, the order knew it already.');
  });

  test('is found under its own order only', async () => {
    const [one, other] = [await paidOrder(service), await paidOrder(service)];
    const of = (id: string) => operator.get(`/inspector/orders/${id}/events/sandbox/evt_${one.paymentId}`);
    expect((await of(one.id)).status).toBe(200);
    expect((await of(other.id)).status).toBe(404);
  });
});

describe('the provider’s truth', () => {
  test('stands beside ours with the differences marked, and nothing is written', async () => {
    const order = await partlyRefundedOrder(service);
    const unheard = pay(service, order.providerOrderId) as { paymentId: string };
    const before = await service.books();
    const truth = words((await operator.get(`/inspector/orders/${order.id}/provider`)).text);
    expect(await service.books()).toBe(before);
    expect(truth).toContain('Nothing was written');
    expect(truth).toContain(`payment ${order.paymentId} captured, ₹499.00 captured, ₹499.00 none`);
    expect(truth).toContain(`payment ${unheard.paymentId} unknown captured, ₹499.00 differs it is not in our books`);
  });

  test('is asked for where nothing is known of a payment, and what only the provider knows leads to its dry run', async () => {
    const order = await checkOut(service);
    const href = `/inspector/orders/${order.id}`;
    expect((await operator.get(href)).text).toContain(`action="${href}/provider"`);
    const lost = pay(service, order.providerOrderId) as { paymentId: string };
    const truth = (await operator.get(`${href}/provider`)).text;
    const tell = /href="([^"]+\/act\/payment\.captured[^"]+)"/.exec(truth)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(tell).toContain(`paymentId=${lost.paymentId}`);
    const run = words((await operator.get(tell)).text);
    expect(run).toMatch(/goes from created to subscribed/);
    expect(run).toContain('The customer gets the access that was bought.');
  });

  test('comes as a fragment to a script, and as a sentence when the provider does not answer', async () => {
    const order = await paidOrder(service);
    const fragment = await operator.get(`/inspector/orders/${order.id}/provider`, { 'x-fragment': 'truth' });
    expect(fragment.text).not.toContain('<html');
    service.sandbox.mood = 'down';
    const answer = await operator.get(`/inspector/orders/${order.id}/provider`).finally(() => {
      service.sandbox.mood = 'well';
    });
    expect(answer.status).toBe(200);
    expect(words(answer.text)).toContain('sandbox could not be asked.');
  });

  test('is asked for so many times a minute and no more', async () => {
    const order = await checkOut(service);
    const { clock } = service.world;
    clock.set(new Date(clock().getTime() + 60_000).toISOString());
    const statuses: number[] = [];
    for (let i = 0; i < 22; i++) statuses.push((await operator.get(`/inspector/orders/${order.id}/provider`)).status);
    expect(statuses.filter(status => status === 200)).toHaveLength(20);
    expect(statuses.slice(-2)).toEqual([429, 429]);
    clock.set(new Date(clock().getTime() + 60_000).toISOString());
    expect((await operator.get(`/inspector/orders/${order.id}/provider`)).status).toBe(200);
  });
});

test('the page is one statement, and every table in it is read by an index', async () => {
  const order = await paidOrder(service);
  await page(order.id);
  statements.length = 0;
  await page(order.id);
  const own = statements.filter(({ text }) => text.includes('as timeline'));
  expect(own).toHaveLength(1);
  const [{ text, params }] = own as [{ text: string; params: string[] }];
  await operator.get(`/inspector/orders/${order.id}/events/sandbox/evt_${order.paymentId}`);
  const raw = statements.find(statement => statement.text.includes('substring(raw'))!;
  for (const statement of [{ text, params }, raw]) {
    const plan = await service.world.db.query<{ 'QUERY PLAN': string }>(
      `explain ${statement.text}`,
      statement.params as string[],
    );
    expect(plan.map(row => row['QUERY PLAN']).filter(line => line.includes('Seq Scan'))).toEqual([]);
  }
});

test('nobody sees any of it without being signed in', async () => {
  const order = await paidOrder(service);
  for (const path of ['', '/provider', `/events/sandbox/evt_${order.paymentId}`]) {
    const answer = await service.call('GET', `/inspector/orders/${order.id}${path}`, {
      key: null,
      headers: { accept: 'text/html' },
    });
    expect(answer.status, path).toBe(303);
    expect(answer.text, path).not.toContain(order.id);
  }
});
