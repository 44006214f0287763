// The sandbox server's memory: every order in RAM, every change appended to one journal file. The last line about an
// order holds; a start reads the journal and writes it anew, so that it holds one line per order again.
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type SandboxOrder, sandboxOrderSchema } from './serverState.ts';

const JOURNAL_FILE = 'orders.jsonl';

export type SandboxStore = {
  /** Every order, oldest first. */
  all(): Iterable<SandboxOrder>;
  byId(providerOrderId: string): SandboxOrder | undefined;
  byOrderId(orderId: string): SandboxOrder | undefined;
  byPayment(paymentId: string): SandboxOrder | undefined;
  /** The next number of a changed payment. */
  nextSequence(): number;
  /** Takes the order as it is now; the change is in memory at once and on disk once `flushed` resolves. */
  put(order: SandboxOrder): void;
  /** Resolves when everything put so far is on disk. No answer and no webhook leaves before. */
  flushed(): Promise<void>;
  close(): Promise<void>;
};

/** Opens the store in `folder`, making it if needed. @throws Error when the journal is damaged elsewhere than at its end */
export async function openSandboxStore(folder: string): Promise<SandboxStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, JOURNAL_FILE);
  const orders = new Map((await readJournal(path)).map(order => [order.providerOrderId, order]));
  const journal = await rewriteJournal(folder, path, orders.values());
  const writer = createJournalWriter(journal);

  const orderIds = new Map<string, SandboxOrder>();
  const payments = new Map<string, SandboxOrder>();
  let sequence = 0;
  const index = (order: SandboxOrder) => {
    orders.set(order.providerOrderId, order);
    orderIds.set(order.orderId, order);
    for (const payment of order.payments) {
      payments.set(payment.paymentId, order);
      sequence = Math.max(sequence, payment.sequence);
    }
  };
  for (const order of [...orders.values()]) index(order);

  return {
    all: () => orders.values(),
    byId: providerOrderId => orders.get(providerOrderId),
    byOrderId: orderId => orderIds.get(orderId),
    byPayment: paymentId => payments.get(paymentId),
    nextSequence: () => ++sequence,
    put(order) {
      index(order);
      writer.append(`${JSON.stringify(order)}\n`);
    },
    flushed: () => writer.flushed(),
    async close() {
      // A journal that failed has told whoever waited for it; closing still gives the file back.
      await writer.flushed().catch(() => undefined);
      await journal.close();
    },
  };
}

/**
 * Appends lines, all that wait in one write and one sync. After a failed write nobody knows what the file holds, so
 * the writer refuses everything from then on: the next start finds the truth.
 */
function createJournalWriter(journal: FileHandle) {
  let waiting: string[] = [];
  let last: Promise<void> = Promise.resolve();
  let scheduled = false;

  const write = async () => {
    scheduled = false;
    const lines = waiting.join('');
    waiting = [];
    await journal.appendFile(lines);
    await journal.datasync();
  };

  return {
    append(line: string) {
      waiting.push(line);
      if (scheduled) return;
      scheduled = true;
      last = last.then(write);
      // Whoever asks `flushed` hears of the failure; it must not end the process before anybody asked.
      last.catch(() => undefined);
    },
    flushed: () => last,
  };
}

async function readJournal(path: string): Promise<SandboxOrder[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  // A line without its line break was being written when the process died: nobody was told that it had happened.
  lines.pop();
  const orders = new Map<string, SandboxOrder>();
  for (const [number, line] of lines.entries()) {
    const order = parseLine(line);
    if (order === null) {
      throw new Error(
        `Line ${number + 1} of ${path} cannot be read. Repair the line, or remove the file to start afresh.`,
      );
    }
    orders.set(order.providerOrderId, order);
  }
  return [...orders.values()];
}

function parseLine(line: string): SandboxOrder | null {
  try {
    return sandboxOrderSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** Writes the journal beside the old one and swaps it in by name: at every instant one of the two is whole. */
async function rewriteJournal(folder: string, path: string, orders: Iterable<SandboxOrder>): Promise<FileHandle> {
  const journal = await open(`${path}.new`, 'w', 0o600);
  await journal.writeFile([...orders].map(order => `${JSON.stringify(order)}\n`).join(''));
  await journal.sync();
  await rename(`${path}.new`, path);
  const directory = await open(folder, 'r');
  await directory.sync();
  await directory.close();
  return journal;
}
