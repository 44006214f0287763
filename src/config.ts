// The only reader of the environment. Everything is checked once, at start; a wrong value stops the start with one
// sentence that says which and why, because a service that starts with half its settings is found out at 3 a.m.
import { isIP } from 'node:net';
import { z } from 'zod';
import {
  PROVIDER_SECRETS,
  type ProviderSettings,
  providerEnvironment,
  providerSettings,
} from './providers/settings.ts';
import { decodeSecret, MIN_SECRET_BYTES } from './providers/signatures.ts';

const DEFAULT_PORT = 3000;
/** Log levels pino knows. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The longest name DNS knows. */
const MAX_HOST_LENGTH = 253;

// Digits only: `Number` would also read " ", "0x50" and "1e3", none of which anybody means.
const port = z
  .string()
  .refine(value => /^\d{1,5}$/.test(value) && Number(value) <= 65_535, 'must be a whole number from 0 to 65535')
  .transform(Number);
const host = z
  .string()
  .refine(
    value =>
      isIP(value) !== 0 || (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(value) && value.length <= MAX_HOST_LENGTH),
    'must be an IP address or a host name',
  );
const origin = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine(isOrigin, 'must be an origin without path, query or credentials');
const webAddress = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine(value => !URL.canParse(value) || new URL(value).username === '', 'may not hold a user name or password');
const key = z
  .string()
  .refine(value => Buffer.byteLength(value) >= MIN_SECRET_BYTES, `must be at least ${MIN_SECRET_BYTES} bytes long`)
  .refine(value => /^[\x21-\x7e]+$/.test(value), 'must be printable ASCII without spaces');
const webhookSecret = z.string().superRefine((value, context) => {
  try {
    decodeSecret(value);
  } catch (error) {
    const sentence = error instanceof Error ? error.message : 'It is not a webhook secret.';
    context.addIssue({ code: 'custom', message: `cannot be used: ${sentence.replace(/\.$/, '')}` });
  }
});

const environment = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  DATA_DIR: z.string().default('.data'),
  HOST: host.default('127.0.0.1'),
  PORT: port.default(DEFAULT_PORT),
  PUBLIC_URL: origin.optional(),
  API_KEY: key.optional(),
  ADMIN_KEY: key.optional(),
  VIEWER_KEY: key.optional(),
  SANDBOX: z.enum(['true', 'false'], 'must be true or false').optional(),
  SANDBOX_WEBHOOK_SECRET: webhookSecret.optional(),
  SANDBOX_PORT: port.default(0),
  SANDBOX_URL: origin.optional(),
  NOTIFICATION_KEY: key.optional(),
  NOTIFICATION_PRIVATE_ADDRESSES: z.enum(['true', 'false'], 'must be true or false').default('false'),
  ALERT_WEBHOOK_URL: webAddress.optional(),
  ...providerEnvironment,
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
});

/** Variables of which an empty one is refused like any other that is too short. */
const SECRETS = new Set([
  'API_KEY',
  'ADMIN_KEY',
  'VIEWER_KEY',
  'NOTIFICATION_KEY',
  'SANDBOX_WEBHOOK_SECRET',
  ...PROVIDER_SECRETS,
]);

export type Config = {
  /** Null means the service runs a PostgreSQL of its own in `dataDir`. */
  databaseUrl: string | null;
  dataDir: string;
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** Where browsers and providers reach the service; null means the address it listens on. */
  publicUrl: string | null;
  apiKey: string | null;
  adminKey: string | null;
  /** With it people may sign in to the inspector and look, and change nothing. Null means nobody may only look. */
  viewerKey: string | null;
  /** What the secrets of merchants' endpoints are made of. Null with a database of others: no endpoint can be made. */
  notificationKey: string | null;
  /** Merchants' endpoints may be http and in a private network. */
  notificationPrivateAddresses: boolean;
  /** Where operators want to be told; null means in the log only. A secret: who knows it can write there. */
  alertWebhookUrl: string | null;
  /** Null means off. `url` without a `port` of our own names a sandbox that another process runs. */
  sandbox: { secret: string | null; port: number; url: string | null; own: boolean } | null;
  /** The real payment providers that are on. */
  providers: ProviderSettings;
  logLevel: (typeof LOG_LEVELS)[number];
  /** For the programs the service starts. */
  path: string;
};

/** A setting that stops the start; its message is the sentence for the operator. */
export class ConfigError extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'ConfigError';
  }
}

/** @throws ConfigError */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  // An empty variable is how shells and compose files spell "not set". Not so for a secret: it is one that got lost.
  const given = Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== '' || SECRETS.has(name)));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ConfigError(`${String(issue?.path[0])} ${issue?.message}.`);
  }
  const values = parsed.data;
  const config: Config = {
    databaseUrl: values.DATABASE_URL ?? null,
    dataDir: values.DATA_DIR,
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ? new URL(values.PUBLIC_URL).origin : null,
    apiKey: values.API_KEY ?? null,
    adminKey: values.ADMIN_KEY ?? null,
    viewerKey: values.VIEWER_KEY ?? null,
    notificationKey: values.NOTIFICATION_KEY ?? null,
    notificationPrivateAddresses: values.NOTIFICATION_PRIVATE_ADDRESSES === 'true',
    alertWebhookUrl: values.ALERT_WEBHOOK_URL ?? null,
    sandbox: sandboxOf(values),
    providers: providersOf(values),
    logLevel: values.LOG_LEVEL,
    path: env.PATH ?? '',
  };
  checkTogether(config);
  return config;
}

function providersOf(values: z.infer<typeof environment>): ProviderSettings {
  try {
    return providerSettings(values);
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

function sandboxOf(values: z.infer<typeof environment>): Config['sandbox'] {
  const on = values.SANDBOX ? values.SANDBOX === 'true' : values.DATABASE_URL === undefined;
  if (!on) return null;
  const url = values.SANDBOX_URL ? new URL(values.SANDBOX_URL).origin : null;
  const own = url === null || values.SANDBOX_PORT !== 0;
  return { secret: values.SANDBOX_WEBHOOK_SECRET ?? null, port: values.SANDBOX_PORT, url, own };
}

/** With a database of others nothing is generated: replicas would disagree about the keys. */
function checkTogether({ databaseUrl, apiKey, adminKey, viewerKey, notificationKey, sandbox }: Config): void {
  if (apiKey && apiKey === adminKey)
    throw new ConfigError('ADMIN_KEY must differ from API_KEY, or every merchant call could do what operators do.');
  if (notificationKey && (notificationKey === apiKey || notificationKey === adminKey))
    throw new ConfigError('NOTIFICATION_KEY must differ from API_KEY and ADMIN_KEY, which are sent around.');
  if (viewerKey && [apiKey, adminKey, notificationKey].includes(viewerKey))
    throw new ConfigError('VIEWER_KEY must differ from the other keys, or whoever may only look could do more.');
  if (!databaseUrl) return;
  const missing = Object.entries({
    API_KEY: apiKey,
    ADMIN_KEY: adminKey,
    ...(sandbox ? { SANDBOX_WEBHOOK_SECRET: sandbox.secret } : {}),
  }).find(([, value]) => !value);
  if (missing)
    throw new ConfigError(
      `${missing[0]} is not set; with DATABASE_URL keys are not generated, because replicas would disagree about them.`,
    );
}

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
}
