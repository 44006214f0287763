// A real browser for a test, driven over Chromium's own debugging pipe: no driver to install, no port to open.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { until } from './embeddedProcesses.ts';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
];
/** Where this machine has one; undefined when it has none. */
export const chromiumPath = PLACES.find(existsSync);

const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --remote-debugging-pipe';

// biome-ignore lint/suspicious/noExplicitAny: messages of the browser
type Json = any;
export type Browser = {
  goTo(url: string): Promise<void>;
  /** Value of an expression in the page; undefined while it is between two pages. */
  read(expression: string): Promise<Json>;
  /** Waits until the expression is true in the page. */
  sees(expression: string): Promise<void>;
  resize(width: number): Promise<void>;
  /** What the browser complained of: refused by a policy, not found, failed. */
  complaints: string[];
  close(): Promise<void>;
};

export async function openChromium(path: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'paylatch-test-chromium-'));
  const args = [...FLAGS.split(' '), `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(path, args, { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const toBrowser = child.stdio[3] as Writable;
  const waiting = new Map<number, (message: Json) => void>();
  const complaints: string[] = [];
  let rest = '';
  (child.stdio[4] as Readable).on('data', chunk => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages.map(text => JSON.parse(text))) {
      waiting.get(message.id)?.(message);
      if (message.method === 'Log.entryAdded')
        complaints.push(`${message.params.entry.text} ${message.params.entry.url}`);
    }
  });
  toBrowser.on('error', () => {}); // it has ended: whoever waits for an answer is told below
  let id = 0;
  let sessionId: string | undefined;
  const ask = (method: string, params: object = {}): Promise<Json> =>
    new Promise((resolve, reject) => {
      const mine = ++id;
      waiting.set(mine, ({ result, error }) =>
        error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
      );
      void ended.then(() => reject(new Error('the browser ended')));
      toBrowser.write(`${JSON.stringify({ id: mine, method, params, ...(sessionId && { sessionId }) })}\0`);
    });
  const { targetId } = await ask('Target.createTarget', { url: 'about:blank' });
  ({ sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true }));
  for (const domain of ['Page', 'Log']) await ask(`${domain}.enable`);
  const read = (expression: string) =>
    ask('Runtime.evaluate', { expression, returnByValue: true }).then(
      answer => answer.result.value,
      () => undefined,
    );
  return {
    complaints,
    read,
    goTo: url => ask('Page.navigate', { url }),
    sees: expression => until(async () => (await read(expression)) === true, `the page where ${expression}`),
    resize: width =>
      ask('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: true }),
    async close() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
