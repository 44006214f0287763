// Names whose servers are silent: they cost a thread each, never all of them.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createResolve } from '../src/notifications/resolve.ts';

/** Look-ups that end when the test says so. */
function nameServers() {
  const asked: { host: string; answer: (addresses: string[]) => void; fail: (error: Error) => void }[] = [];
  const look = (host: string) =>
    new Promise<string[]>((answer, fail) => {
      asked.push({ host, answer, fail });
    });
  return { asked, look, hosts: () => asked.map(({ host }) => host) };
}

test('eight messages to one silent name ask for it once, and all hear the same', async () => {
  const { asked, look, hosts } = nameServers();
  const resolve = createResolve(look, 3);
  const answers = Array.from({ length: 8 }, () => resolve('silent.example'));
  expect(hosts()).toEqual(['silent.example']);
  asked[0]!.answer(['93.184.216.34']);
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 8 }, () => ['93.184.216.34']));
});

test('an answer is not kept: the next message asks again, because names move', async () => {
  const { asked, look } = nameServers();
  const resolve = createResolve(look, 3);
  const first = resolve('shop.example');
  asked[0]!.answer(['93.184.216.34']);
  await first;
  const second = resolve('shop.example');
  asked[1]!.answer(['10.0.0.7']);
  expect(await second).toEqual(['10.0.0.7']);
});

test('more names than places wait their turn, and one that fails makes room like one that is found', async () => {
  const { asked, look, hosts } = nameServers();
  const resolve = createResolve(look, 2);
  const answers = ['a', 'b', 'c', 'd'].map(resolve);
  expect(hosts()).toEqual(['a', 'b']);
  asked[0]!.fail(new Error('ENOTFOUND'));
  await expect(answers[0]).rejects.toThrow('ENOTFOUND');
  await nextTurn();
  expect(hosts()).toEqual(['a', 'b', 'c']);
  const late = resolve('e');
  asked[1]!.answer([]);
  await nextTurn();
  expect(hosts()).toEqual(['a', 'b', 'c', 'd']);
  asked[2]!.answer([]);
  asked[3]!.answer([]);
  await nextTurn();
  asked[4]!.answer(['1.1.1.1']);
  expect([await late, hosts().at(-1)]).toEqual([['1.1.1.1'], 'e']);
});
