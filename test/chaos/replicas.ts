// Replicas of the service as processes of their own: started, killed where they stand, started again, and read line by
// line, because what a killed worker did not say is told by what the others say later.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FastTime } from './fastClock.ts';

const ENTRY = fileURLToPath(new URL('./hurriedService.ts', import.meta.url));
/** A start on a busy machine; only bounds how long a broken one hangs. */
const START_LIMIT_MS = 60_000;

export type LogLine = Record<string, unknown>;
export type Replica = {
  /** Null while it is not ready. */
  url: string | null;
  start(): void;
  /** Resolves when it is ready. @throws Error with what it said last when it ended by itself */
  ready(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  setTime(time: FastTime): void;
};

export type ReplicaOptions = {
  env: () => Record<string, string>;
  /** Called with each line it logs. */
  said: (line: LogLine) => void;
  /** Called when it ends and nobody wanted it to. */
  ended: (how: string) => void;
};

/** Does not start it yet. */
export function createReplica({ env, said, ended }: ReplicaOptions): Replica {
  let child: ChildProcess | null = null;
  let wanted = false;
  const last: string[] = [];
  const replica: Replica = {
    url: null,
    start() {
      const own = spawn(process.execPath, ['--import', 'tsx', ENTRY], {
        env: { PATH: process.env.PATH ?? '', ...env() },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      child = own;
      wanted = true;
      for (const stream of [own.stdout, own.stderr]) {
        if (stream) createInterface(stream).on('line', line => read(own, line));
      }
      own.once('exit', (code, signal) => {
        if (child !== own) return;
        replica.url = null;
        if (wanted) ended(`a replica ended with ${code ?? signal}: ${last.join('\n')}`);
      });
    },
    async ready() {
      const giveUp = performance.now() + START_LIMIT_MS;
      while (replica.url === null) {
        if (child?.exitCode !== null || performance.now() > giveUp) {
          throw new Error(`a replica did not become ready: ${last.join('\n')}`);
        }
        await sleep(5);
      }
    },
    kill: () => end('SIGKILL').then(() => {}),
    stop: () => end('SIGTERM'),
    setTime(time) {
      if (child?.connected) child.send(time);
    },
  };

  function read(own: ChildProcess, line: string): void {
    last.push(line);
    if (last.length > 20) last.shift();
    if (line.startsWith('{')) said(JSON.parse(line));
    const ready = /^Paylatch is ready: (\S+)/.exec(line)?.[1];
    if (ready && child === own) replica.url = ready;
  }

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    wanted = false;
    replica.url = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    // Closed is when its last line was read, too.
    const closed = once(child, 'close');
    child.kill(signal);
    const [code] = await closed;
    return code;
  }
  return replica;
}
