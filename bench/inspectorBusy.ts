// The CPU time that a look at a page takes in the service and in the database together, told by Linux to the nanosecond.
// Other programs make a look take longer, but hardly make it more work: on a machine that has nothing else to do, a look
// takes at most this long, apart from waiting for a disk.
import { readdir, readFile } from 'node:fs/promises';

/** ms of CPU that these processes, and the children of the second, have used; null where nobody tells. */
export type Busy = () => Promise<number | null>;

export function busyOf(service: number, database: number): Busy {
  return async () => {
    const backends = await childrenOf(database);
    if (backends === null) return null;
    const used = await Promise.all([service, ...backends].map(usedBy));
    return used.reduce((total, ns) => total + ns, 0) / 1e6;
  };
}

async function childrenOf(pid: number): Promise<number[] | null> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => null);
  return text === null ? null : text.split(' ').filter(Boolean).map(Number);
}

/** Of all threads of a process, in ns; nothing of one that has ended. */
async function usedBy(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const each = threads.map(async thread => {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
    return Number(text.split(' ')[0]);
  });
  return (await Promise.all(each)).reduce((total, ns) => total + ns, 0);
}
