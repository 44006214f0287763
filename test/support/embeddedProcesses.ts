// Starts services with an embedded PostgreSQL as processes of their own, kills them, and looks for what they leave running.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type Service = {
  /** What the service said first; rejects when it ended without a word. */
  said: Promise<{ url?: string; pid?: number; refused?: string }>;
  pid: number;
  /** SIGKILL to every process of its group. */
  killGroup(): void;
  /** SIGTERM to the service alone; resolves when it has ended. */
  stop(): Promise<void>;
};

export type ServiceOptions = { user?: { uid: number; gid: number }; env?: Record<string, string> };

const SCRIPT = fileURLToPath(new URL('./embeddedService.ts', import.meta.url));
// The loader as a URL, because the service's own folder may be one from which it cannot be found.
const TSX = import.meta.resolve('tsx');
// Nothing here takes longer than the 10 s a start waits for an old server; the rest is for slow machines.
const WAIT_LIMIT_MS = 90_000;
const POLL_MS = 10;

const started = new Set<Service>();

/** A service in a process group of its own. */
export function startService(dataDir: string, options: ServiceOptions = {}): Service {
  const child = spawn(process.execPath, ['--import', TSX, SCRIPT, dataDir], {
    detached: true,
    cwd: '/',
    env: { PATH: process.env.PATH ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options.user,
  });
  const pid = child.pid ?? 0;
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const service: Service = {
    said: firstLine(child),
    pid,
    killGroup: () => signal(-pid, 'SIGKILL'),
    stop: async () => {
      signal(pid, 'SIGTERM');
      await ended;
    },
  };
  service.said.catch(() => {}); // a service that is killed on purpose says nothing
  started.add(service);
  void ended.then(() => started.delete(service));
  return service;
}

/** For afterEach: no test leaves a service behind, however it failed. */
export async function killAllServices(): Promise<void> {
  for (const service of started) service.killGroup();
  await until(() => started.size === 0, 'the services to end');
}

/** Every living process that works in the folder or names it on its command line, as "pid command". */
export function processesOf(folder: string): string[] {
  const all = execFileSync('ps', ['-axww', '-o', 'pid=,stat=,command='], { encoding: 'utf8' }).split('\n');
  return all.flatMap(line => {
    const [, pid = '', state = '', command = ''] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const concerned = command.includes(folder) || worksIn(pid).startsWith(folder);
    return concerned && !state.startsWith('Z') ? [`${pid} ${command}`] : [];
  });
}

/** Waits until the condition holds, looking often; fails with `what` after WAIT_LIMIT_MS. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = AbortSignal.timeout(WAIT_LIMIT_MS);
  while (!(await condition())) {
    if (limit.aborted) throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain for ${what}`);
    await sleep(POLL_MS);
  }
}

/** Waits until no process of the folder is left. */
export async function untilNothingRuns(folder: string): Promise<void> {
  await until(() => processesOf(folder).length === 0, `nothing to run in ${folder}`).catch(error => {
    throw new Error(`${error.message}; still there:\n${processesOf(folder).join('\n')}`);
  });
}

function worksIn(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // no /proc, another user's process, or gone by now
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function firstLine(child: ChildProcess): Service['said'] {
  return new Promise((resolve, reject) => {
    let out = '';
    let errors = '';
    child.stderr?.on('data', chunk => {
      errors += chunk;
    });
    child.stdout?.on('data', chunk => {
      out += chunk;
      if (out.includes('\n')) resolve(JSON.parse(out));
    });
    child.once('error', reject);
    child.once('close', (code, name) => reject(new Error(`ended with ${code ?? name}, saying: ${errors}`)));
  });
}
