// The inspector in a process of its own, so that whoever measures it takes none of its time.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Asked, type InspectorService, startInspectorService } from './inspectorService.ts';

type Order = { start: string } | 'tally' | 'taken' | 'close';
type Told = { url: string; key: string } | { asked: Asked[] } | { error: string } | 'done';

export type InspectorProcess = Omit<InspectorService, 'taken'> & { pid: number; taken(): Promise<Asked[]> };

/** Starts the process and the service in it. */
export async function startInspectorProcess(databaseUrl: string): Promise<InspectorProcess> {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], { stdio: 'inherit' });
  const told = await tell(child, { start: databaseUrl });
  if (told === 'done' || !('url' in told)) throw new Error('the inspector told no address');
  return {
    ...told,
    pid: child.pid ?? 0,
    tally: async () => void (await tell(child, 'tally')),
    async taken() {
      const answer = await tell(child, 'taken');
      return answer !== 'done' && 'asked' in answer ? answer.asked : [];
    },
    async close() {
      await tell(child, 'close');
      child.disconnect();
    },
  };
}

function tell(child: ChildProcess, order: Order): Promise<Told> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the inspector ended before it answered'));
    child.once('exit', ended);
    child.once('message', (told: Told) => {
      child.off('exit', ended);
      if (told !== 'done' && 'error' in told) reject(new Error(told.error));
      else resolve(told);
    });
    child.send(order, error => error && reject(error));
  });
}

let service: InspectorService | undefined;

async function obey(order: Order): Promise<Told> {
  if (typeof order === 'object') {
    service = await startInspectorService(order.start);
    return { url: service.url, key: service.key };
  }
  if (!service) throw new Error('the inspector was not started');
  if (order === 'taken') return { asked: service.taken() };
  await (order === 'tally' ? service.tally() : service.close());
  return 'done';
}

if (process.argv[2] === 'serve') {
  process.on('message', (order: Order) => {
    obey(order).then(
      told => process.send?.(told),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  // However the bench ends, the process ends with it.
  process.on('disconnect', () => process.exit(0));
}
