// Every variable of the environment: what it is when nobody sets it, and the one sentence that a wrong value stops the
// start with, which names the variable and never repeats a secret.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 0xa7).toString('base64')}`;
const KEYS = { API_KEY: 'a'.repeat(24), ADMIN_KEY: 'b'.repeat(24), SANDBOX_WEBHOOK_SECRET: secretOf(24) };
const DATABASE_URL = 'postgres://someone:db-password-7@db.test:5432/paylatch';

function refusal(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`was not refused: ${JSON.stringify(env)}`);
}

test('without any variable the service listens on 127.0.0.1:3000, has a database of its own and the sandbox', () => {
  expect(readConfig({})).toEqual({
    databaseUrl: null,
    dataDir: '.data',
    host: '127.0.0.1',
    port: 3000,
    publicUrl: null,
    apiKey: null,
    adminKey: null,
    viewerKey: null,
    notificationKey: null,
    notificationPrivateAddresses: false,
    alertWebhookUrl: null,
    sandbox: { secret: null, port: 0, url: null, own: true },
    providers: { razorpay: null, cloudpayments: null, stripe: null },
    logLevel: 'info',
    path: '',
  });
});

test('each variable is read, and what is not ours is passed over', () => {
  const env = {
    ...KEYS,
    DATABASE_URL,
    DATA_DIR: '/srv/pay latch',
    HOST: '::1',
    PORT: '0',
    PUBLIC_URL: 'https://pay.test/',
    VIEWER_KEY: 'v'.repeat(24),
    NOTIFICATION_KEY: 'n'.repeat(24),
    NOTIFICATION_PRIVATE_ADDRESSES: 'true',
    ALERT_WEBHOOK_URL: 'http://10.0.0.7:8065/hooks/x?y=1',
    SANDBOX: 'true',
    SANDBOX_PORT: '4100',
    SANDBOX_URL: 'http://sandbox.test:4100',
    LOG_LEVEL: 'silent',
    PATH: '/bin',
    PGPASSWORD: 'not ours',
  };
  expect(readConfig(env)).toEqual({
    databaseUrl: DATABASE_URL,
    dataDir: '/srv/pay latch',
    host: '::1',
    port: 0,
    publicUrl: 'https://pay.test',
    apiKey: KEYS.API_KEY,
    adminKey: KEYS.ADMIN_KEY,
    viewerKey: 'v'.repeat(24),
    notificationKey: 'n'.repeat(24),
    notificationPrivateAddresses: true,
    alertWebhookUrl: 'http://10.0.0.7:8065/hooks/x?y=1',
    sandbox: { secret: KEYS.SANDBOX_WEBHOOK_SECRET, port: 4100, url: 'http://sandbox.test:4100', own: true },
    providers: { razorpay: null, cloudpayments: null, stripe: null },
    logLevel: 'silent',
    path: '/bin',
  });
});

test('the sandbox is on without DATABASE_URL, off with it, and as SANDBOX says where it is set', () => {
  const withDatabase = { ...KEYS, DATABASE_URL };
  expect(readConfig({}).sandbox).not.toBeNull();
  expect(readConfig(withDatabase).sandbox).toBeNull();
  expect(readConfig({ SANDBOX: 'false' }).sandbox).toBeNull();
  expect(readConfig({ ...withDatabase, SANDBOX: 'true' }).sandbox).not.toBeNull();
});

test('SANDBOX_URL alone names the sandbox of another process; with SANDBOX_PORT it is where customers reach ours', () => {
  const url = 'http://sandbox.test';
  expect(readConfig({ SANDBOX_URL: url }).sandbox).toMatchObject({ own: false, url });
  expect(readConfig({ SANDBOX_URL: url, SANDBOX_PORT: '4100' }).sandbox).toMatchObject({ own: true, url, port: 4100 });
  expect(readConfig({ SANDBOX_PORT: '4100' }).sandbox).toMatchObject({ own: true, url: null, port: 4100 });
});

test('an empty variable is one that is not set, except where a secret should be', () => {
  const empty = {
    NOTIFICATION_PRIVATE_ADDRESSES: '',
    ALERT_WEBHOOK_URL: '',
    DATABASE_URL: '',
    DATA_DIR: '',
    HOST: '',
    PORT: '',
    PUBLIC_URL: '',
    SANDBOX: '',
    LOG_LEVEL: '',
  };
  expect(readConfig({ ...empty, SANDBOX_PORT: '', SANDBOX_URL: '' })).toEqual(readConfig({}));
});

const WRONG: [variable: string, reason: RegExp, values: string[]][] = [
  ['DATABASE_URL', /postgres:\/\/ URL/, ['db.test', 'mysql://db.test/x', 'http://db.test', '5432', '/run/pg']],
  ['HOST', /IP address or a host name/, ['http://127.0.0.1', '127.0.0.1:3000', 'a b', '-x', '[::1]', 'x'.repeat(300)]],
  [
    'PORT',
    /0 to 65535/,
    ['http', '-1', '65536', '80.5', '3000x', ' ', '0x50', '1e3', '３０００', 'NaN', '99999999999'],
  ],
  [
    'PUBLIC_URL',
    /http or https URL|origin/,
    [
      'pay.test',
      'ftp://pay.test',
      'https://pay.test/shop',
      'https://pay.test/?a',
      'https://u:p@pay.test',
      'javascript:alert(1)',
    ],
  ],
  ['SANDBOX', /true or false/, ['yes', '1', 'TRUE', 'on', 'null']],
  ['NOTIFICATION_PRIVATE_ADDRESSES', /true or false/, ['yes', '1', 'TRUE']],
  [
    'ALERT_WEBHOOK_URL',
    /http or https URL|user name/,
    ['hooks.test', 'ftp://hooks.test', 'https://u:p@hooks.test/secret-path', 'mailto:a@b.test'],
  ],
  ['SANDBOX_PORT', /0 to 65535/, ['70000', 'free', '-0', '1.0']],
  ['SANDBOX_URL', /http or https URL|origin/, ['sandbox.test', 'http://sandbox.test/pay', 'http://sandbox.test#x']],
  ['LOG_LEVEL', /one of trace, debug, info, warn, error, fatal, silent/, ['verbose', 'INFO', '30']],
];

describe.each(WRONG)('%s', (variable, reason, values) => {
  test.each(values)('%j stops the start with one sentence that says which and why', value => {
    const sentence = refusal({ [variable]: value });
    expect(sentence).toMatch(reason);
    expect(sentence).toMatch(new RegExp(`^${variable} [^\\n]*[^.]\\.$`));
  });
});

const NEEDED = ['API_KEY', 'ADMIN_KEY', 'SANDBOX_WEBHOOK_SECRET'];
const SECRETS = [...NEEDED, 'NOTIFICATION_KEY', 'VIEWER_KEY'];

describe.each(SECRETS)('%s', variable => {
  const isWebhook = variable === 'SANDBOX_WEBHOOK_SECRET';
  const bad = [
    '',
    'test',
    isWebhook ? secretOf(23) : 'x'.repeat(23),
    isWebhook ? secretOf(0) : 'ключ ключ ключ ключ ключ',
  ];
  const worse = isWebhook
    ? ['k'.repeat(40), `whsec_${'*'.repeat(40)}`, `whsec_${'a'.repeat(33)}`, secretOf(24).slice(6)]
    : [`${'k'.repeat(30)} `, `${'k'.repeat(30)}\n${'k'.repeat(30)}`, `${'k'.repeat(30)}\u0000`];
  test.each([...bad, ...worse])('%j is refused, and the sentence does not repeat it', value => {
    for (const others of [{}, { ...KEYS, DATABASE_URL }]) {
      const sentence = refusal({ ...others, [variable]: value });
      expect(sentence).toMatch(new RegExp(`^${variable} [^\\n]*[^.]\\.$`));
      if (value.length > 4) expect(sentence).not.toContain(value.slice(6, 14).trim() || value);
    }
  });

  test('24 bytes are accepted', () => {
    const value = isWebhook ? secretOf(24) : 'k'.repeat(24);
    expect(() => readConfig({ [variable]: value })).not.toThrow();
  });
});

test('one key for merchants and operators is refused, however good it is', () => {
  const sentence = refusal({ API_KEY: KEYS.API_KEY, ADMIN_KEY: KEYS.API_KEY });
  expect(sentence).toMatch(/^ADMIN_KEY must differ from API_KEY[^\n]*\.$/);
  expect(sentence).not.toContain(KEYS.API_KEY);
});

test.each(NEEDED)('with DATABASE_URL a missing %s stops the start, because replicas would disagree', variable => {
  const env: Record<string, string> = { ...KEYS, DATABASE_URL, SANDBOX: 'true' };
  delete env[variable];
  const sentence = refusal(env);
  expect(sentence).toMatch(new RegExp(`^${variable} is not set[^\\n]*replicas[^\\n]*\\.$`));
  expect(sentence).not.toContain('db-password-7');
});

test('with DATABASE_URL and no sandbox its secret may be missing', () => {
  expect(readConfig({ API_KEY: KEYS.API_KEY, ADMIN_KEY: KEYS.ADMIN_KEY, DATABASE_URL }).sandbox).toBeNull();
});

test('with DATABASE_URL and without NOTIFICATION_KEY the service starts, and only endpoints cannot be made', () => {
  expect(readConfig({ ...KEYS, DATABASE_URL }).notificationKey).toBeNull();
});

test.each(['API_KEY', 'ADMIN_KEY'] as const)('the key of endpoints must not be the %s, which is sent around', name => {
  expect(refusal({ ...KEYS, NOTIFICATION_KEY: KEYS[name] })).toMatch(/^NOTIFICATION_KEY must differ from [^\n]*\.$/);
});

test.each(['API_KEY', 'ADMIN_KEY', 'NOTIFICATION_KEY'] as const)(
  'the key to look only must not be the %s, which can do more',
  name => {
    const env = { ...KEYS, NOTIFICATION_KEY: 'n'.repeat(24) };
    const sentence = refusal({ ...env, VIEWER_KEY: env[name] });
    expect(sentence).toMatch(/^VIEWER_KEY must differ from [^\n]*\.$/);
    expect(sentence).not.toContain(env[name]);
  },
);

test('a wrong value ends the process with code 1 and one line on stderr', () => {
  const env = { PATH: process.env.PATH ?? '', PORT: 'three thousand', API_KEY: 'hunter2-hunter2' };
  const run = spawnSync(process.execPath, ['--import', 'tsx', MAIN], { env, encoding: 'utf8' });
  expect(run.status).toBe(1);
  expect(run.stdout).toBe('');
  expect(run.stderr).toMatch(/^Paylatch cannot start: (PORT|API_KEY) [^\n]*\.\n$/);
  expect(run.stderr).not.toContain('hunter2');
});
