// A start that cannot be: one sentence on stderr that says what stands in the way, exit code 1, nothing left running, and
// no secret. Also what a start that can be prints, and where.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { readKeptKeys } from '../src/keys.ts';
import { untilNothingRuns } from './support/embeddedProcesses.ts';
import { freePort } from './support/freePort.ts';
import { call } from './support/serviceClient.ts';
import { KEYS, type Launch, launch, newFolder, startService } from './support/serviceProcess.ts';
import { createTestDatabase } from './support/testDatabase.ts';

let neighbour: Server;
let takenPort: string;

beforeAll(async () => {
  neighbour = createServer();
  await new Promise<void>(resolve => neighbour.listen(0, '127.0.0.1', resolve));
  takenPort = String((neighbour.address() as { port: number }).port);
});
afterAll(() => new Promise(resolve => neighbour.close(resolve)));

/** What the start said, once it has ended as a refused one must. */
async function refusal(how: Launch): Promise<string> {
  const service = launch(how);
  expect(await service.ended, service.out() + service.err()).toEqual({ code: 1, signal: null });
  expect(service.out()).not.toContain('ready:');
  expect(service.err()).toMatch(/^Paylatch cannot start: \S[^\n]*\.\n$/);
  for (const secret of Object.values(KEYS)) expect(service.err()).not.toContain(secret);
  return service.err();
}

test('a second service on the same folder is refused, and the first goes on', async () => {
  const dataDir = await newFolder();
  const first = await startService({ dataDir });
  const sentence = await refusal({ dataDir });
  expect(sentence).toContain(`DATA_DIR ${dataDir} is in use by another running Paylatch (process ${first.pid})`);
  expect(await call(first.url, 'GET', '/health/ready')).toMatchObject({
    status: 200,
    body: { ready: true, checks: { database: true, sandbox: true } },
  });
  expect(await first.stop()).toEqual({ code: 0, signal: null });
});

test.each(['PORT', 'SANDBOX_PORT'])(
  'a %s that another program listens on stops the start and its database',
  async variable => {
    const dataDir = await newFolder();
    const sentence = await refusal({ dataDir, env: { [variable]: takenPort } });
    expect(sentence).toContain(`${variable} ${takenPort} on 127.0.0.1 cannot be used: another program listens there.`);
    await untilNothingRuns(dataDir);
    const again = await startService({ dataDir });
    expect(await again.stop()).toEqual({ code: 0, signal: null });
  },
);

test('an address this machine does not have is named', async () => {
  expect(await refusal({ dataDir: await newFolder(), env: { HOST: '192.0.2.1' } })).toContain(
    'PORT 0 on 192.0.2.1 cannot be used: this machine does not have that address.',
  );
});

const WRONG_DATABASES: [what: string, change: Partial<URL>, says: RegExp][] = [
  ['nobody listens there', { port: '1' }, /ECONNREFUSED/],
  ['it has no such database', { pathname: '/nowhere' }, /database "nowhere" does not exist/],
];
test.each(WRONG_DATABASES)(
  'DATABASE_URL stops the start when %s, without its password',
  async (_what, change, says) => {
    const url = Object.assign(new URL(inject('postgresUrl')), change);
    const sentence = await refusal({ dataDir: await newFolder(), env: { DATABASE_URL: url.href } });
    expect(sentence).toContain('DATABASE_URL cannot be used: ');
    expect(sentence).toMatch(says);
    if (url.password) expect(sentence).not.toContain(url.password);
  },
);

test.each(['API_KEY', 'ADMIN_KEY', 'SANDBOX_WEBHOOK_SECRET'])(
  'with DATABASE_URL a missing %s stops the start',
  async key => {
    const env = { DATABASE_URL: inject('postgresUrl'), SANDBOX: 'true', [key]: undefined };
    expect(await refusal({ dataDir: await newFolder(), env })).toContain(`${key} is not set; with DATABASE_URL`);
  },
);

test('two sandboxes that would write one journal are refused, also when the database is somewhere else', async () => {
  const dataDir = await newFolder();
  const database = await createTestDatabase();
  try {
    const env = { DATABASE_URL: database.url, SANDBOX: 'true' };
    const holder = await startService({ dataDir, env });
    expect(await refusal({ dataDir, env })).toContain(`DATA_DIR ${dataDir} is in use by another running Paylatch`);
    expect(await holder.stop()).toEqual({ code: 0, signal: null });
  } finally {
    await database.drop();
  }
});

test('generated keys go to the terminal at the first start only, and never into a line of the log', async () => {
  const dataDir = await newFolder();
  const env = { API_KEY: undefined, ADMIN_KEY: undefined, SANDBOX_WEBHOOK_SECRET: undefined, LOG_LEVEL: 'trace' };
  const first = await startService({ dataDir, env });
  const keys = await readKeptKeys(dataDir);
  if (!keys) throw new Error('no keys were kept');
  const answer = await call(first.url, 'GET', '/v1/plans', undefined, { authorization: `Bearer ${keys.apiKey}` });
  expect(answer).toMatchObject({ status: 200, body: { plans: [{ id: 'pro-monthly' }, { id: 'pro-yearly' }] } });
  await first.stop();
  const lines = first.out().split('\n');
  for (const key of [keys.apiKey, keys.adminKey]) {
    expect(lines.filter(line => line.includes(key))).toHaveLength(1);
    expect(lines.filter(line => line.startsWith('{') && line.includes(key))).toEqual([]);
  }
  const second = await startService({ dataDir, env });
  await second.stop();
  const said = first.err() + second.out() + second.err() + (await readFile(join(dataDir, 'postgres.log'), 'utf8'));
  for (const key of Object.values(keys)) expect(said).not.toContain(key);
});

test('a damaged keys.json stops the start with a sentence, and nothing is left running', async () => {
  const dataDir = await newFolder();
  await mkdir(dataDir, { recursive: true });
  await writeFile(join(dataDir, 'keys.json'), '{"apiKey": "api_');
  const env = { API_KEY: undefined };
  expect(await refusal({ dataDir, env })).toContain(
    `${join(dataDir, 'keys.json')} does not hold the keys it was written with`,
  );
  await untilNothingRuns(dataDir);
});

test('a service without the sandbox is ready without it and shows where the API reference is', async () => {
  const port = await freePort();
  const service = await startService({ dataDir: await newFolder(), env: { SANDBOX: 'false', PORT: String(port) } });
  expect(service.url).toBe(`http://127.0.0.1:${port}`);
  expect((await call(service.url, 'GET', '/health/ready')).body).toEqual({
    ready: true,
    checks: { database: true, accepting: true },
  });
  expect((await call(service.url, 'GET', '/')).body).toContain('href="/docs"');
  expect((await call(service.url, 'GET', '/v1/plans')).body).toEqual({ plans: [] });
});
