// A service process of its own with nothing but a dispatcher in it, spoken to over IPC: what two replicas on one database
// do to each other is only true between processes.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { openDatabase } from '../../db/client.ts';
import { systemClock, systemRandom } from '../../src/clock.ts';
import type { Envelope, Outcome } from '../../src/dispatch/envelope.ts';
import { createDispatch, type Dispatch } from '../../src/dispatch.ts';
import { idsFrom } from '../../src/ids.ts';

const SELF = fileURLToPath(import.meta.url);

type Asked = { id: number; envelope: Envelope };
type Answered = { id: number; outcome?: Outcome; error?: { name: string; message: string; code?: string } };

export type DispatchProcess = {
  dispatch: Dispatch;
  /** Exits by itself after finishing what it has; answers its exit code. */
  close(): Promise<number | null>;
};

/** Starts the process; it is ready when this resolves. */
export async function startDispatchProcess(url: string): Promise<DispatchProcess> {
  const child = fork(SELF, [url], { execArgv: ['--import', 'tsx'], serialization: 'advanced' });
  const open = new Map<number, { resolve: (outcome: Outcome) => void; reject: (error: unknown) => void }>();
  await once(child, 'message');
  child.on('message', (answered: Answered) => {
    const call = open.get(answered.id);
    open.delete(answered.id);
    if (answered.outcome) call?.resolve(answered.outcome);
    else call?.reject(Object.assign(new Error(answered.error?.message), answered.error));
  });
  child.on('exit', () => {
    for (const call of open.values()) call.reject(new Error('the process is gone'));
  });
  let calls = 0;
  return {
    dispatch: envelope =>
      new Promise((resolve, reject) => {
        const id = calls++;
        open.set(id, { resolve, reject });
        child.send({ id, envelope } satisfies Asked);
      }),
    close: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.disconnect();
  const [code] = await exited;
  return code;
}

async function serve(url: string): Promise<void> {
  const db = openDatabase({ url, connections: 6, applicationName: 'paylatch-test-process' });
  const newId = idsFrom(systemClock, systemRandom);
  const dispatcher = createDispatch({
    db,
    clock: systemClock,
    random: systemRandom,
    newId,
    log: pino({ level: 'silent' }),
  });
  process.on('message', ({ id, envelope }: Asked) => {
    dispatcher.dispatch(envelope).then(
      outcome => process.send?.({ id, outcome } satisfies Answered),
      error => {
        const { name, message, code } = error;
        process.send?.({ id, error: { name, message, code } } satisfies Answered);
      },
    );
  });
  process.on('disconnect', () => void dispatcher.close().then(() => db.close()));
  process.send?.('ready');
}

if (process.argv[1] === SELF) await serve(process.argv[2] ?? '');
