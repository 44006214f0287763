// The keys that nobody set: made once, told once and only to the terminal, kept for the owner's eyes, and never half made.
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import { ConfigError, readConfig } from '../src/config.ts';
import { loadKeys, readKeptKeys } from '../src/keys.ts';
import { decodeSecret } from '../src/providers/signatures.ts';

let folder: string;
let dataDir: string;
let told: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paylatch-test-keys-'));
  dataDir = join(folder, 'made/by/the/start');
  told = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const load = (env: Record<string, string> = {}) =>
  loadKeys(readConfig({ DATA_DIR: dataDir, ...env }), systemRandom, lines => told.push(...lines));
const keysFile = () => join(dataDir, 'keys.json');

test('keys are made once, long, different, and readable by their owner only', async () => {
  const umask = process.umask(0);
  const keys = await load().finally(() => process.umask(umask));
  expect(keys.apiKey).toMatch(/^api_[A-Za-z0-9_-]{43}$/);
  expect(keys.adminKey).toMatch(/^admin_[A-Za-z0-9_-]{43}$/);
  expect(decodeSecret(keys.sandboxWebhookSecret)).toHaveLength(32);
  expect(keys.notificationKey).toMatch(/^ntf_[A-Za-z0-9_-]{43}$/);
  expect(new Set(Object.values(keys).map(key => String(key).split('_')[1])).size).toBe(4);
  expect((await stat(keysFile())).mode & 0o777).toBe(0o600);
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  expect(await load()).toEqual(keys);
  expect(await readKeptKeys(dataDir)).toEqual(keys);
});

test('they are told when they are made and never again, and those that nobody types in not at all', async () => {
  const keys = await load();
  expect(told.join('\n')).toContain(keysFile());
  for (const key of [keys.apiKey, keys.adminKey]) expect(told.join('\n').split(key)).toHaveLength(2);
  for (const key of [keys.sandboxWebhookSecret, keys.notificationKey]) expect(told.join('\n')).not.toContain(key);
  told = [];
  await load();
  expect(told).toEqual([]);
});

test('a key that is set wins over the one that was kept, which stays', async () => {
  const kept = await load();
  const API_KEY = 'chosen-by-the-operator-01';
  expect(await load({ API_KEY })).toEqual({ ...kept, apiKey: API_KEY });
  expect(await load()).toEqual(kept);
});

test('only keys that are in use are told', async () => {
  const keys = await load({ API_KEY: 'chosen-by-the-operator-01' });
  expect(told.join('\n')).toContain(keys.adminKey);
  expect(told.join('\n')).not.toContain('API_KEY');
});

test('a start that has all its keys reads and writes no file', async () => {
  const env = {
    API_KEY: 'chosen-by-the-operator-01',
    ADMIN_KEY: 'chosen-by-the-operator-02',
    SANDBOX_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24).toString('base64')}`,
    NOTIFICATION_KEY: 'chosen-by-the-operator-03',
  };
  const keys = await load(env);
  expect(keys).toEqual({
    apiKey: env.API_KEY,
    adminKey: env.ADMIN_KEY,
    sandboxWebhookSecret: env.SANDBOX_WEBHOOK_SECRET,
    notificationKey: env.NOTIFICATION_KEY,
  });
  expect(await readKeptKeys(dataDir)).toBeNull();
  expect(told).toEqual([]);
});

test('a file from before there were notifications gets their key once, keeps the others, and nobody is told', async () => {
  const { notificationKey: first, ...old } = await load();
  await writeFile(keysFile(), JSON.stringify(old));
  told = [];
  expect(await readKeptKeys(dataDir)).toEqual({ ...old, notificationKey: null });
  const keys = await load();
  expect(keys).toEqual({ ...old, notificationKey: expect.stringMatching(/^ntf_[A-Za-z0-9_-]{43}$/) });
  expect(keys.notificationKey).not.toBe(first);
  expect(await load()).toEqual(keys);
  expect((await stat(keysFile())).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataDir)).toEqual(['keys.json']);
  expect(told).toEqual([]);
});

test('with a database of others no key of endpoints is made up: replicas would sign with different ones', async () => {
  const env = {
    API_KEY: 'chosen-by-the-operator-01',
    ADMIN_KEY: 'chosen-by-the-operator-02',
    DATABASE_URL: 'postgres://db.test/paylatch',
  };
  expect((await load(env)).notificationKey).toBeNull();
  expect(await readKeptKeys(dataDir)).toBeNull();
});

const DAMAGED: [what: string, text: string][] = [
  ['empty', ''],
  ['cut short', '{"apiKey": "api_12345678901234567890", "adm'],
  ['not ours', '[]'],
  ['without a key', '{"apiKey": "api_12345678901234567890", "adminKey": "admin_12345678901234567890"}'],
  ['with a key that is none', '{"apiKey": 1, "adminKey": "", "sandboxWebhookSecret": "whsec_"}'],
  [
    'with a short key of endpoints',
    `{"apiKey": "api_12345678901234567890", "adminKey": "admin_12345678901234567890", "sandboxWebhookSecret": "whsec_${'A'.repeat(32)}", "notificationKey": "ntf_short"}`,
  ],
  [
    'with a short webhook secret',
    '{"apiKey": "api_12345678901234567890", "adminKey": "admin_12345678901234567890", "sandboxWebhookSecret": "whsec_c2hvcnQ="}',
  ],
];

test.each(DAMAGED)('a file that is %s stops the start with one sentence and is left as it is', async (_what, text) => {
  await load();
  await writeFile(keysFile(), text);
  const error = await load().catch(error => error);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toMatch(/^\S*keys\.json [^\n]*\.$/);
  expect(error.message).not.toContain('api_1234');
  expect(await readFile(keysFile(), 'utf8')).toBe(text);
});

test('a file that cannot be read stops the start with one sentence', async () => {
  await load();
  await rm(keysFile());
  await mkdir(keysFile());
  expect(await load().catch(error => error)).toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(/keys\.json cannot be read: [^\n]*\.$/),
  });
});

test('a start that dies while it makes the keys leaves nothing that a later one takes for them', async () => {
  const keys = await load();
  await rm(keysFile());
  // Randomness is the last thing asked for before the file is written, and its name needs some too.
  for (const asked of [1, 2, 3, 4, 5]) {
    let count = 0;
    const failing = (size: number) => {
      if (++count === asked) throw new Error('the machine went down');
      return systemRandom(size);
    };
    await expect(loadKeys(readConfig({ DATA_DIR: dataDir }), failing, lines => told.push(...lines))).rejects.toThrow();
    expect(await readKeptKeys(dataDir)).toBeNull();
  }
  await writeFile(`${keysFile()}.00000000.new`, '{"apiKey"'); // what a power cut leaves
  const next = await load();
  expect(next.apiKey).not.toBe(keys.apiKey);
  expect(await load()).toEqual(next);
});

test('services that start at the same moment on one folder end up with the same keys', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => load()));
  expect(new Set(all.map(keys => JSON.stringify(keys))).size).toBe(1);
  expect(
    told.filter(line => line.includes('API_KEY')),
    'told once',
  ).toHaveLength(1);
  expect(readdirSync(dataDir)).toEqual(['keys.json']);
});
