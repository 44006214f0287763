// Ties a program's life to ours: a pipe only we hold open runs to a small watcher beside the program. However we end,
// SIGKILL of our whole process group included, the kernel closes the pipe and the watcher stops the program cleanly.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ServerIdentity } from './identity.ts';

export type Tied = {
  /** Process id of the program itself. */
  pid: number;
  /** Resolves once the program has ended, with a few words on how ("exit code 1", "signal SIGKILL"). */
  ended: Promise<string>;
  hasEnded(): boolean;
  signal(name: NodeJS.Signals): void;
  /** Lets our process end while the program runs (which then ends too). */
  unref(): void;
  ref(): void;
};

export type TiedProgram = {
  command: string;
  args: string[];
  env: Record<string, string>;
  /** Runs it as this user; null: as ourselves. */
  runAs: ServerIdentity | null;
  /** Descriptor of an open file the program reads, or nothing to read. */
  input?: number;
  /** Descriptor of an open file that takes all it says. */
  output: number;
};

// The watcher is a grandchild (forked twice), so that the program, which takes the shell's place and process id, never
// meets a child it did not make. It ignores the signals a terminal or process manager sends to everybody. A line on the
// pipe means "the program has ended": it goes without signalling, lest the process id belong to someone else by then.
const WATCHER = '((trap "" INT TERM HUP; read _ <&3 || kill -INT $$) </dev/null >/dev/null 2>&1 &)';
const SCRIPT = `${WATCHER}; exec "$@" 3<&-`;

/** Starts the program in a session of its own, out of reach of Ctrl-C and of signals to our group. Throws when it cannot be spawned. */
export async function startTied(program: TiedProgram): Promise<Tied> {
  const { command, args, env, runAs, input = 'ignore', output } = program;
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'paylatch-lifeline', command, ...args], {
    env,
    cwd: '/', // ours may be a folder the other user cannot enter
    detached: true,
    stdio: [input, output, output, 'pipe'],
    ...(runAs && { uid: runAs.uid | 0, gid: runAs.gid | 0 }), // Node takes ids as signed numbers
  });
  const lifeline = child.stdio[3] as Socket;
  lifeline.on('error', () => {}); // the watcher was killed: the program runs on, and stop() still reaches it
  const ended = new Promise<string>(resolve => child.once('exit', (code, name) => resolve(ending(code, name))));
  void ended.then(() => lifeline.end('\n'));
  return {
    pid: await pidOf(child),
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: name => void child.kill(name),
    unref: () => {
      child.unref();
      lifeline.unref();
    },
    ref: () => child.ref(),
  };
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject); // stays: a later signal that is not allowed is an error event too
    child.once('spawn', () =>
      child.pid === undefined ? reject(new Error('spawned without a pid')) : resolve(child.pid),
    );
  });
}

function ending(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
