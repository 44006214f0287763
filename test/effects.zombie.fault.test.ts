// A worker process that the system stops in the middle of an effect until its lease is over, and then lets go on: the other
// worker has taken over meanwhile, and what the first one has to say is fenced, every time.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from './support/databaseChecks.ts';
import { addEffects, endLeases, outboxRow } from './support/outboxRig.ts';
import {
  type Call,
  type OtherSide,
  startOtherSide,
  startWorkerProcess,
  type WorkerProcess,
} from './support/workerProcess.ts';
import { createWorld, type World } from './support/world.ts';

const ROUNDS = 12;
/** In ms: no handler is given up for its own lease in here; the test ends leases itself. */
const LEASE_MS = 600_000;

let world: World;
let otherSide: OtherSide;
let workers: Map<string, WorkerProcess>;
beforeAll(async () => {
  world = await createWorld();
  otherSide = await startOtherSide();
  const both = await Promise.all(
    ['one', 'two'].map(name =>
      startWorkerProcess({ url: world.url, otherSide: otherSide.url, name, leaseMs: LEASE_MS }),
    ),
  );
  workers = new Map(both.map(worker => [worker.name, worker]));
});
afterAll(async () => {
  for (const worker of workers.values()) {
    worker.resume();
    await worker.kill();
  }
  await otherSide.close();
  await world.close();
});

const fencedLines = () =>
  [...workers.values()].flatMap(({ lines }) => lines.filter(line => String(line.msg).includes('fenced')));

test.each(Array.from({ length: ROUNDS }, (_, round) => round))('round %i: the zombie changes nothing', async round => {
  const key = `zombie ${round}`;
  const answers: (() => void)[] = [];
  const calls: Call[] = [];
  otherSide.hold(call => {
    calls.push(call);
    return new Promise<void>(resolve => answers.push(resolve));
  });
  await addEffects(world, [{ effect: 'capture', key, orderId: `ord_${round}` }]);
  await until('one of them sent it', () => calls.length === 1);
  const zombie = workers.get(calls[0]!.worker)!;
  zombie.pause();
  // Its lease is over, and the other one takes the effect.
  await until('the other one sent it, too', async () => {
    await endLeases(world.sql, zombie.name);
    return calls.length === 2;
  });
  expect(calls[1]!.worker).not.toBe(zombie.name);
  expect(calls.map(({ attempt, maybeSent }) => ({ attempt, maybeSent }))).toEqual([
    { attempt: 1, maybeSent: false },
    { attempt: 2, maybeSent: true },
  ]);
  const isFenced = () => fencedLines().filter(line => line.dedupKey === key && line.attempt === 1).length === 1;
  // Half the rounds the zombie speaks first, while the other still is at work; half of them after it is done.
  if (round % 2 === 0) {
    answers[0]!();
    zombie.resume();
    await until('the zombie was fenced', isFenced);
    expect(await outboxRow(world.sql, key)).toMatchObject({ status: 'pending', attempts: 2, leased: true });
    answers[1]!();
    await until('it is done', async () => (await outboxRow(world.sql, key)).status === 'done');
  } else {
    answers[1]!();
    await until('it is done', async () => (await outboxRow(world.sql, key)).status === 'done');
    answers[0]!();
    zombie.resume();
    await until('the zombie was fenced', isFenced);
  }
  expect(await outboxRow(world.sql, key)).toMatchObject({
    status: 'done',
    attempts: 2,
    lastError: `by ${calls[1]!.worker}`,
  });
  expect(otherSide.performed.get(key)).toBe(1);
  expect(fencedLines()).toHaveLength(round + 1);
});
