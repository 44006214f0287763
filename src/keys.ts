// Keys that nobody set are made once and kept in DATA_DIR/keys.json, readable by its owner only.
import { chmod, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RandomSource } from './clock.ts';
import type { Config } from './config.ts';
import { decodeSecret } from './providers/signatures.ts';

/** Bytes of a generated key: more than anybody can guess. */
const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;

const keysSchema = z.object({
  apiKey: z.string().min(1),
  adminKey: z.string().min(1),
  sandboxWebhookSecret: z.string().min(1),
});
export type Keys = z.infer<typeof keysSchema>;

/**
 * The keys of this deployment: those set, the others from the file, made at the first start. `announce` is called with
 * the lines for the terminal when keys were made; they never go through the logger.
 * @throws Error with one sentence when the file is there but cannot be used
 */
export async function loadKeys(
  config: Config,
  random: RandomSource,
  announce: (lines: string[]) => void,
): Promise<Keys> {
  const { apiKey, adminKey, sandbox, databaseUrl, dataDir } = config;
  const set = { apiKey, adminKey, sandboxWebhookSecret: sandbox?.secret ?? null };
  if (databaseUrl) return keysSchema.parse({ ...set, sandboxWebhookSecret: set.sandboxWebhookSecret ?? 'off' });
  const kept = await keptKeys(dataDir, random, announce);
  return {
    apiKey: set.apiKey ?? kept.apiKey,
    adminKey: set.adminKey ?? kept.adminKey,
    sandboxWebhookSecret: set.sandboxWebhookSecret ?? kept.sandboxWebhookSecret,
  };
}

/** The keys that a service made in this folder; null when none did. @throws Error with one sentence */
export async function readKeptKeys(dataDir: string): Promise<Keys | null> {
  const file = join(dataDir, 'keys.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new Error(`${file} cannot be read: ${error.message}.`);
  });
  return text === null ? null : parseKeys(file, text);
}

async function keptKeys(dataDir: string, random: RandomSource, announce: (lines: string[]) => void): Promise<Keys> {
  const kept = await readKeptKeys(dataDir);
  if (kept) return kept;
  const file = join(dataDir, 'keys.json');
  const secret = () => Buffer.from(random(KEY_BYTES));
  const keys: Keys = {
    apiKey: `api_${secret().toString('base64url')}`,
    adminKey: `admin_${secret().toString('base64url')}`,
    sandboxWebhookSecret: `whsec_${secret().toString('base64')}`,
  };
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const handle = await open(file, 'wx', OWNER_ONLY);
  try {
    await handle.writeFile(`${JSON.stringify(keys, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(file, OWNER_ONLY);
  announce([`New keys, kept in ${file}:`, `  API_KEY    ${keys.apiKey}`, `  ADMIN_KEY  ${keys.adminKey}`]);
  return keys;
}

function parseKeys(file: string, text: string): Keys {
  try {
    const keys = keysSchema.parse(JSON.parse(text));
    decodeSecret(keys.sandboxWebhookSecret);
    return keys;
  } catch {
    throw new Error(
      `${file} does not hold the three keys it was written with; restore it, or remove it to get new ones.`,
    );
  }
}
