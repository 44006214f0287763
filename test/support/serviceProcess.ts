// The whole service as its users run it: a process started by npm start's own command, in a process group of its own.
// What a test starts is gone when its file ends.
import { spawn } from 'node:child_process';
import { chown, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { readPassword } from '../../src/embedded/cluster.ts';
import { untilNothingRuns } from './embeddedProcesses.ts';

export const KEYS = {
  API_KEY: 'api_service_test_0123456789abcdef',
  ADMIN_KEY: 'admin_service_test_0123456789abcdef',
  SANDBOX_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 5).toString('base64')}`,
};
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** A first start on a machine that runs other tests; only bounds how long a broken one hangs. */
const START_LIMIT_MS = 90_000;

export type Ending = { code: number | null; signal: NodeJS.Signals | null };
export type ServiceProcess = {
  pid: number;
  dataDir: string;
  /** Resolves with its address once it says that it is ready; rejects with all it said when it ends before. */
  ready: Promise<string>;
  /** Its address; only once it is ready. */
  readonly url: string;
  ended: Promise<Ending>;
  out(): string;
  err(): string;
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, to the service alone or to everything in its process group; resolves when it has ended. */
  kill(whom?: 'alone' | 'group'): Promise<void>;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<Ending>;
};
export type Launch = {
  dataDir: string;
  /** On top of, or instead of, the usual environment; undefined takes a variable out. */
  env?: Record<string, string | undefined>;
  user?: { uid: number; gid: number };
  command?: string[];
};

const NPM_START = [process.execPath, '--import', import.meta.resolve('tsx'), join(REPOSITORY, 'src/main.ts')];
const started = new Set<ServiceProcess>();
const folders: string[] = [];

afterAll(async () => {
  await Promise.all([...started].map(service => service.kill('group')));
  for (const folder of folders.splice(0)) {
    await untilNothingRuns(folder);
    await rm(folder, { recursive: true, force: true });
  }
});

/** A new, empty folder of mode 0700, removed when the file ends. */
export async function newFolder(owner?: { uid: number; gid: number }): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'paylatch-test-service-')));
  if (owner) await chown(folder, owner.uid, owner.gid);
  folders.push(folder);
  return folder;
}

/** Starts a service and does not wait for it. */
export function launch({ dataDir, env, user, command = NPM_START }: Launch): ServiceProcess {
  const given = { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', ...KEYS, ...env };
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    detached: true,
    cwd: '/',
    env: given,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  let out = '';
  let err = '';
  let url = '';
  const ended = new Promise<Ending>(resolve => child.once('close', (code, signal) => resolve({ code, signal })));
  const ready = new Promise<string>((resolve, reject) => {
    const limit = setTimeout(
      () => reject(new Error(`not ready after ${START_LIMIT_MS} ms:\n${out}${err}`)),
      START_LIMIT_MS,
    );
    child.stdout.on('data', chunk => {
      out += chunk;
      url ||= /^Paylatch is ready: (\S+)/m.exec(out)?.[1] ?? '';
      if (!url) return;
      clearTimeout(limit);
      resolve(url);
    });
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    child.once('error', reject);
    void ended.then(() => {
      clearTimeout(limit);
      reject(new Error(`ended before it was ready:\n${out}${err}`));
    });
  });
  ready.catch(() => {}); // a service that is refused or killed on purpose is judged by what it said
  const pid = child.pid ?? 0;
  const signal = (name: NodeJS.Signals, to = pid) => {
    try {
      process.kill(to, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const service: ServiceProcess = {
    pid,
    dataDir,
    ready,
    get url() {
      return url;
    },
    ended,
    out: () => out,
    err: () => err,
    signal,
    async kill(whom = 'alone') {
      signal('SIGKILL', whom === 'group' ? -pid : pid);
      await ended;
    },
    stop() {
      signal('SIGTERM');
      return ended;
    },
  };
  started.add(service);
  void ended.then(() => started.delete(service));
  return service;
}

/** Starts a service and waits until it is ready. */
export async function startService(how: Launch): Promise<ServiceProcess> {
  const service = launch(how);
  await service.ready;
  return service;
}

/** The database an embedded service runs, for looking at it past the service. */
export async function embeddedDatabaseUrl({ dataDir, out }: ServiceProcess): Promise<string> {
  const port = /"port":(\d+),"msg":"embedded PostgreSQL is ready"/.exec(out())?.[1];
  return `postgres://paylatch:${await readPassword(dataDir)}@127.0.0.1:${port}/paylatch`;
}
