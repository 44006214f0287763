// What open pages are told: that something changed, soon and to whom it matters; nothing while the database cannot be
// asked; and an end when the service stops or the session is over.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Database } from '../db/client.ts';
import { FULL_LOOK_MS } from '../src/inspector/live.ts';
import { until } from './support/embeddedProcesses.ts';
import { type InspectedService, type Signed, startInspected } from './support/inspector.ts';
import { captured, openOrder, webhook } from './support/world.ts';

let service: InspectedService;
let operator: Signed;
let isDown = false;
let refused = 0;

beforeEach(async () => {
  isDown = false;
  const failing = (db: Database): Database => ({
    ...db,
    query(text, params) {
      if (!isDown) return db.query(text, params);
      refused += 1;
      return Promise.reject(new Error('the database is gone'));
    },
  });
  service = await startInspected({ db: failing });
  operator = await service.signIn('operator');
});
afterEach(() => service.close());

type Stream = { status: number; events: string[]; isOver: boolean; leave(): void };

/** Listens as a page does. `events` grows as they come. */
async function listen(path: string, cookie = operator.cookie): Promise<Stream> {
  const leaving = new AbortController();
  const response = await fetch(service.http.url + path, { headers: { cookie }, signal: leaving.signal });
  const stream: Stream = { status: response.status, events: [], isOver: false, leave: () => leaving.abort() };
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    return stream;
  }
  void (async () => {
    let text = '';
    try {
      for await (const chunk of response.body!) {
        text += Buffer.from(chunk).toString();
        stream.events = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name!);
      }
    } catch {
      // Left.
    }
    stream.isOver = true;
  })();
  return stream;
}
const changes = (stream: Stream) => stream.events.filter(name => name === 'changed').length;

test('who looks at an order hears of its events, also those that changed nothing, and not of other orders', async () => {
  const [mine, other] = [await openOrder(service.world), await openOrder(service.world)];
  const begun = performance.now();
  const stream = await listen(`/inspector/live?order=${mine.id}`);
  const elsewhere = await listen(`/inspector/live?order=${other.id}`);
  await until(() => changes(stream) >= 1 && changes(elsewhere) >= 1, 'the first look');
  // A webhook through another process: only the database tells of it.
  const replica = service.world.dispatcher();
  const event = webhook(mine.providerOrderId, captured('pay_live_1'));
  expect((await replica.dispatch(event)).verdict).toBe('applied');
  await until(() => changes(stream) >= 2, 'change 2');
  expect((await replica.dispatch(event)).verdict).toBe('duplicate');
  await until(() => changes(stream) >= 3, 'change 3');
  // From time to time everybody is told to look, whatever happened.
  const looksForAll = Math.floor((performance.now() - begun) / FULL_LOOK_MS);
  expect(changes(elsewhere)).toBeLessThanOrEqual(1 + looksForAll);
  stream.leave();
  elsewhere.leave();
});

test('who looks at the service hears of new orders and of what is to be done', async () => {
  const stream = await listen('/inspector/live');
  await until(() => changes(stream) >= 1, 'change 1');
  const order = await openOrder(service.world);
  await until(() => changes(stream) >= 2, 'change 2');
  await service.world.dispatch(webhook(order.providerOrderId, captured('pay_live_2')));
  await until(() => changes(stream) >= 3, 'change 3');
  stream.leave();
});

test('nothing is told while the database cannot be asked, and what was missed is told once it can', async () => {
  const order = await openOrder(service.world);
  const stream = await listen(`/inspector/live?order=${order.id}`);
  await until(() => changes(stream) >= 1, 'change 1');
  isDown = true;
  await service.world.dispatch(webhook(order.providerOrderId, captured('pay_live_3')));
  await until(() => service.log.some(line => line.includes('cannot follow what happens')), 'the trouble in the log');
  const heard = stream.events.length;
  // More looks than there are between two beats.
  const looks = refused;
  await until(() => refused >= looks + 5, 'five more looks');
  expect(stream.events.length).toBe(heard);
  isDown = false;
  await until(() => changes(stream) >= 2, 'change 2');
  stream.leave();
});

test('a stream needs a session and an id that could be one, and a session has only so many', async () => {
  expect((await listen('/inspector/live', '')).status).toBe(401);
  expect((await listen('/inspector/live?order=x%27%7D')).status).toBe(400);
  const streams = await Promise.all(Array.from({ length: 4 }, () => listen('/inspector/live')));
  expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const tooMany = await operator.get('/inspector/live');
  expect([tooMany.status, Number(tooMany.headers.get('retry-after')) > 0]).toEqual([429, true]);
  const someoneElse = await service.signIn('viewer');
  expect((await listen('/inspector/live', someoneElse.cookie)).status).toBe(200);
  // One that left makes room.
  streams[0]!.leave();
  let again: Stream | undefined;
  await until(async () => {
    again = await listen('/inspector/live');
    return again.status === 200;
  }, 'room for another one');
});

test('a stream ends with its session', async () => {
  const stream = await listen('/inspector/live');
  await until(() => changes(stream) >= 1, 'change 1');
  service.world.clock.set(new Date(service.world.clock().getTime() + 12 * 3_600_000).toISOString());
  await until(() => stream.isOver, 'the end of the stream');
});

test.each(['by the inspector', 'by the server alone'])(
  'a service that stops is not held up by who listens: %s',
  async how => {
    const streams = [await listen('/inspector/live'), await listen('/inspector/live')];
    await until(() => streams.every(stream => changes(stream) >= 1), 'the first look');
    // The inspector ends them itself, before the server is asked to; asked alone, the server waits for them in vain.
    if (how === 'by the inspector') service.inspector.close();
    else void service.http.close();
    await until(() => streams.every(({ isOver }) => isOver), 'the end of the streams');
    await service.http.close();
    expect(service.log.join('\n')).not.toContain('cutting requests');
  },
);
