// A service process of its own with nothing but an outbox worker in it. Its handlers do their work at the other side of
// the test: they POST the idempotency key there, as they would to a provider, and count as done once that answers.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { openDatabase } from '../../db/client.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';
import type { EffectHandler } from '../../src/effects/effect.ts';
import { EFFECT_POLICIES } from '../../src/effects/policies.ts';
import { startWorker } from '../../src/effects/worker.ts';
import { idsFrom } from '../../src/ids.ts';
import { EFFECT_NAMES, handlersOf } from './outboxRig.ts';

const SELF = fileURLToPath(import.meta.url);

/** One call as the other side saw it. `lease` is what the worker's process named itself. */
export type Call = { key: string; attempt: number; maybeSent: boolean; worker: string };

export type OtherSide = {
  url: string;
  /** Every call, in the order they came. */
  calls: Call[];
  /** How often each key did something: a key does it once. */
  performed: Map<string, number>;
  /** Asked about each call before it is answered. */
  hold(answer: (call: Call) => Promise<void>): void;
  close(): Promise<void>;
};

/** What a provider is to an effect: it does a thing once a key, and may be slow to say so. */
export async function startOtherSide(): Promise<OtherSide> {
  const calls: Call[] = [];
  const performed = new Map<string, number>();
  let held: (call: Call) => Promise<void> = async () => {};
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const call: Call = JSON.parse(body);
    calls.push(call);
    if (!performed.has(call.key)) performed.set(call.key, 1);
    await held(call);
    response.end('done');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    performed,
    hold(answer) {
      held = answer;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type WorkerProcess = {
  name: string;
  /** What it logged, one object a line. */
  lines: Record<string, unknown>[];
  /** The system stops it where it stands. */
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** Drains and exits by itself; answers its exit code. */
  close(): Promise<number | null>;
};

/** What its connections are called at the server. */
export const applicationOf = (name: string) => `paylatch-test-worker-${name}`;

type Options = { url: string; otherSide: string; name: string; leaseMs: number };

/** Starts the process; it works when this resolves. */
export async function startWorkerProcess(options: Options): Promise<WorkerProcess> {
  const child = fork(SELF, [JSON.stringify(options)], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout?.on('data', chunk => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part));
  });
  await once(child, 'message');
  return {
    name: options.name,
    lines,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => stop(child, () => child.kill('SIGKILL')).then(() => {}),
    close: () => stop(child, () => child.disconnect()),
  };
}

async function stop(child: ChildProcess, how: () => void): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  how();
  const [code] = await exited;
  return code;
}

async function serve({ url, otherSide, name, leaseMs }: Options): Promise<void> {
  const db = openDatabase({ url, connections: 4, applicationName: applicationOf(name) });
  const handle: EffectHandler = async ({ dedupKey, attempt, maybeSent }) => {
    const call: Call = { key: dedupKey, attempt, maybeSent, worker: name };
    const response = await fetch(otherSide, { method: 'POST', body: JSON.stringify(call) });
    if (!response.ok) return { end: 'again', error: `${response.status}` };
    return { end: 'done', note: `by ${name}` };
  };
  const policies = { ...EFFECT_POLICIES };
  for (const effect of EFFECT_NAMES) policies[effect] = { ...policies[effect], leaseMs };
  const worker = startWorker({
    db,
    handlers: handlersOf(handle),
    clock: systemClock,
    random: systemRandom,
    newId: idsFrom(systemClock, systemRandom),
    log: pino(),
    workerId: name,
    policies,
    pollMs: 5,
  });
  process.on('disconnect', () => void worker.close().then(() => db.close()));
  process.send?.('ready');
}

if (process.argv[1] === SELF) await serve(JSON.parse(process.argv[2] ?? '{}'));
