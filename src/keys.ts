// Keys that nobody set are made once and kept in DATA_DIR/keys.json, readable by its owner only.
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RandomSource } from './clock.ts';
import { type Config, ConfigError } from './config.ts';
import { decodeSecret, MIN_SECRET_BYTES } from './providers/signatures.ts';

/** Bytes of a generated key: more than anybody can guess. */
const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;
const FILE_NAME = 'keys.json';
/** Stands where there is no sandbox to sign anything. */
const UNUSED = 'off';

const keysSchema = z.object({
  apiKey: z.string().min(1),
  adminKey: z.string().min(1),
  sandboxWebhookSecret: z.string().min(1),
  /** Null: endpoints of merchants cannot be made. */
  notificationKey: z.string().min(1).nullable(),
});
export type Keys = z.infer<typeof keysSchema>;
/** As kept: a file from before there were notifications does not have theirs. */
const keptSchema = keysSchema.extend({ notificationKey: z.string().min(MIN_SECRET_BYTES).nullable().default(null) });

/**
 * The keys of this deployment: those set, the others from the file, made at the first start. `announce` is called with
 * the lines for the terminal when keys were made; they never go through the logger.
 * @throws ConfigError when the file is there but cannot be used
 */
export async function loadKeys(
  config: Config,
  random: RandomSource,
  announce: (lines: string[]) => void,
): Promise<Keys> {
  const { apiKey, adminKey, notificationKey, sandbox, databaseUrl, dataDir } = config;
  const set = { apiKey, adminKey, notificationKey, sandboxWebhookSecret: sandbox ? sandbox.secret : UNUSED };
  const all = keysSchema.safeParse(set);
  // Nothing is missing, so nothing is made or told: whoever reads about new keys would try to use them.
  if (databaseUrl || (all.success && notificationKey)) return keysSchema.parse(set);
  const kept = await keptKeys(dataDir, random, made => {
    const lines = [
      ...(apiKey ? [] : [`  API_KEY    ${made.apiKey}`]),
      ...(adminKey ? [] : [`  ADMIN_KEY  ${made.adminKey}`]),
    ];
    if (lines.length > 0) announce([`New keys, kept in ${join(dataDir, FILE_NAME)}:`, ...lines]);
  });
  return {
    apiKey: apiKey ?? kept.apiKey,
    adminKey: adminKey ?? kept.adminKey,
    notificationKey: notificationKey ?? kept.notificationKey,
    sandboxWebhookSecret: set.sandboxWebhookSecret ?? kept.sandboxWebhookSecret,
  };
}

/** The keys that a service made in this folder; null when none did. @throws ConfigError */
export async function readKeptKeys(dataDir: string): Promise<Keys | null> {
  const file = join(dataDir, FILE_NAME);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new ConfigError(`${file} cannot be read: ${error.message}.`);
  });
  return text === null ? null : parseKeys(file, text);
}

async function keptKeys(dataDir: string, random: RandomSource, made: (keys: Keys) => void): Promise<Keys> {
  const kept = await readKeptKeys(dataDir);
  const file = join(dataDir, FILE_NAME);
  const secret = () => Buffer.from(random(KEY_BYTES));
  const notificationKey = () => `ntf_${secret().toString('base64url')}`;
  if (kept?.notificationKey) return kept;
  if (kept) {
    const completed = { ...kept, notificationKey: notificationKey() };
    await writeFileWhole(file, random, textOf(completed), 'replace');
    return completed;
  }
  const keys: Keys = {
    apiKey: `api_${secret().toString('base64url')}`,
    adminKey: `admin_${secret().toString('base64url')}`,
    sandboxWebhookSecret: `whsec_${secret().toString('base64')}`,
    notificationKey: notificationKey(),
  };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Another service that started at the same moment has made them: one pair of keys, whoever was first.
  if (!(await writeFileWhole(file, random, textOf(keys), 'once'))) return keptKeys(dataDir, random, made);
  made(keys);
  return keys;
}

const textOf = (keys: Keys) => `${JSON.stringify(keys, null, 2)}\n`;

/**
 * Writes the file whole or not at all: a start killed in between leaves nothing that the next one would take for keys.
 * `once` makes it by `link`, which unlike `rename` never replaces what is there: false when there is such a file already.
 * `replace` is for a service that holds the folder, as each does that keeps its keys there.
 */
async function writeFileWhole(
  file: string,
  random: RandomSource,
  text: string,
  how: 'once' | 'replace',
): Promise<boolean> {
  const unfinished = `${file}.${Buffer.from(random(4)).toString('hex')}.new`;
  const handle = await open(unfinished, 'wx', OWNER_ONLY);
  try {
    await handle.chmod(OWNER_ONLY);
    await handle.writeFile(text);
    await handle.sync();
    await (how === 'once' ? link(unfinished, file) : rename(unfinished, file));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await handle.close();
    await rm(unfinished, { force: true });
  }
}

function parseKeys(file: string, text: string): Keys {
  try {
    const keys = keptSchema.parse(JSON.parse(text));
    decodeSecret(keys.sandboxWebhookSecret);
    return keys;
  } catch {
    throw new ConfigError(
      `${file} does not hold the keys it was written with; restore it, or remove it to get new ones.`,
    );
  }
}
