// `npm run demo` as somebody types it: in a service of its own that leaves nothing behind, and against a running one.
import { spawn } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { untilNothingRuns } from './support/embeddedProcesses.ts';
import { freePort } from './support/freePort.ts';
import { get } from './support/serviceClient.ts';
import { KEYS, newFolder, REPOSITORY, startService } from './support/serviceProcess.ts';

const DEMO = [process.execPath, '--import', import.meta.resolve('tsx'), join(REPOSITORY, 'src/cli/demo.ts')];
const groups = new Set<number>();

type Run = { code: number | null; out: string; err: string };

afterAll(() => {
  for (const pid of groups) process.kill(-pid, 'SIGKILL');
});

function demo(args: string[], env: Record<string, string>, onOut?: (out: string, pid: number) => void): Promise<Run> {
  const [program = '', ...rest] = [...DEMO, ...args];
  const given = { PATH: process.env.PATH, ...env };
  const child = spawn(program, rest, { env: given, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const pid = child.pid ?? 0;
  groups.add(pid);
  let out = '';
  let err = '';
  child.stdout.on('data', chunk => {
    out += chunk;
    onOut?.(out, pid);
  });
  child.stderr.on('data', chunk => {
    err += chunk;
  });
  return new Promise(resolve =>
    child.once('close', code => {
      groups.delete(pid);
      resolve({ code, out, err });
    }),
  );
}

/** For temporary files; as root its database's user must get through. */
async function newScratch(): Promise<string> {
  const folder = await newFolder();
  await chmod(folder, 0o711);
  return folder;
}

/** Its verdicts and what is left of them, whoever came first. */
function expectStory(out: string): void {
  expect(out).toMatch(/^checkout +order ord_\w+ is created, 49900 INR minor units$/m);
  expect(out).toMatch(/^callback +subscribed, the order is subscribed/m);
  expect(out).toMatch(/^webhook +(applied|duplicate), the order is subscribed/m);
  expect(out.match(/^duplicate \d +duplicate/gm)).toHaveLength(3);
  expect(out).toMatch(/^late failure +stale, the order is subscribed/m);
  for (const step of [
    'order.created +— → created',
    'payment.captured +created → captured',
    'grant.recorded +captured → subscribed',
  ])
    expect(out).toMatch(new RegExp(`^ +\\d  ${step}`, 'm'));
  expect(out.match(/^ +applied /gm), 'one event was applied').toHaveLength(1);
  expect(out).toMatch(/^access +yes \(active\), until \S+Z, from 1 grant$/m);
}

test('in a service of its own it tells the purchase, and leaves no process and no folder behind', async () => {
  const scratch = await newScratch();
  const run = await demo([], { TMPDIR: scratch });
  expect(run).toMatchObject({ code: 0, err: '' });
  expectStory(run.out);
  // The TypeScript loader keeps its cache there.
  expect((await readdir(scratch)).filter(name => !name.startsWith('tsx-'))).toEqual([]);
  await untilNothingRuns(scratch);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle of it leaves no process and no folder behind either',
  async name => {
    const scratch = await newScratch();
    let asked = false;
    const run = await demo([], { TMPDIR: scratch }, (out, pid) => {
      if (asked || !out.includes('A service and a database of its own')) return;
      asked = true;
      process.kill(name === 'SIGINT' ? -pid : pid, name); // a terminal tells the whole group
    });
    expect(asked, run.err).toBe(true);
    expect(run.code).not.toBe(0);
    expect((await readdir(scratch)).filter(entry => !entry.startsWith('tsx-'))).toEqual([]);
    await untilNothingRuns(scratch);
  },
);

test('with --url it plays in a running service whose DATA_DIR it is told, or whose keys are set', async () => {
  const dataDir = await newFolder();
  const generated = { API_KEY: undefined, ADMIN_KEY: KEYS.ADMIN_KEY, SANDBOX_WEBHOOK_SECRET: undefined };
  const first = await startService({ dataDir, env: generated });
  const run = await demo(['--url', first.url], { DATA_DIR: dataDir });
  expect(run).toMatchObject({ code: 0, err: '' });
  expectStory(run.out);
  expect((await get(first.url, '/v1/orders')).orders).toMatchObject([{ state: 'subscribed' }]);
  const second = await startService({ dataDir: await newFolder() });
  const { API_KEY, SANDBOX_WEBHOOK_SECRET } = KEYS;
  expectStory((await demo([`--url=${second.url}`], { API_KEY, SANDBOX_WEBHOOK_SECRET })).out);
});

test('a wrong address, a stranger there, unknown keys and unknown options each get one sentence and exit code 1', async () => {
  const { API_KEY, SANDBOX_WEBHOOK_SECRET } = KEYS;
  const keys = { API_KEY, SANDBOX_WEBHOOK_SECRET };
  const stranger = createServer((_request, response) => response.end('<html>'));
  await new Promise<void>(resolve => stranger.listen(0, '127.0.0.1', resolve));
  const { port } = stranger.address() as AddressInfo;
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const attempts: [args: string[], env: Record<string, string>, says: RegExp][] = [
    [['--url', 'nonsense'], keys, /nonsense is not .* URL/],
    [['--url', nobody], keys, new RegExp(`${nobody}.*(reached|ECONNREFUSED)`)],
    [['--url', `http://127.0.0.1:${port}`], keys, /answered .* not .*JSON|is not a Paylatch/],
    [['--url', nobody], { DATA_DIR: await newFolder() }, /keys of .* are not known/],
    [['--uri', nobody], keys, /--uri/],
    [[], { PORT: 'many' }, /PORT must be/],
  ];
  for (const [args, env, says] of attempts) {
    const run = await demo(args, env);
    expect(run.code, args.join(' ')).toBe(1);
    expect(run.err).toMatch(/^The demo stopped: [^\n]*\.\n$/);
    expect(run.err).toMatch(says);
    expect(run.out).toBe('');
  }
  stranger.close();
});
