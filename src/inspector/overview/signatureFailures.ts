// Counts calls with a wrong signature, so that they are known after a restart and to every replica. Anybody can send such
// calls as fast as they like: a call costs an addition in memory, and all of them together a row an hour and provider.
import type { Logger } from 'pino';
import type { Database } from '../../../db/client.ts';
import { type SignatureFailureCount, writeSignatureFailures } from '../../../db/signatureFailures.ts';
import type { Clock } from '../../clock.ts';
import type { NewId } from '../../ids.ts';

/** Pause between two writes, in ms: what a crash may forget. */
const WRITE_EVERY_MS = 5_000;
/** Hours and providers kept while the database cannot be written to: a day of it with a dozen providers. Then the oldest are dropped. */
const MAX_UNWRITTEN = 300;
const HOUR_MS = 3_600_000;

export type SignatureFailureDeps = { db: Database; clock: Clock; newId: NewId; log: Logger };

export type SignatureFailureCounter = {
  /** Counts one. Called with the names of our own providers only, whatever the call said. */
  failed(provider: string): void;
  /** Writes what is not written yet. @throws when the database refuses */
  flush(): Promise<void>;
  /** Writes what is left and stops. */
  close(): Promise<void>;
};

/** Starts counting. */
export function countSignatureFailures({ db, clock, newId, log }: SignatureFailureDeps): SignatureFailureCounter {
  const countedBy = newId('wrk');
  const counts = new Map<string, SignatureFailureCount>();
  const unwritten = new Set<string>();
  let writing = Promise.resolve();

  async function write(): Promise<void> {
    const names = [...unwritten];
    if (names.length === 0) return;
    const rows = names.flatMap(name => counts.get(name) ?? []).map(count => ({ ...count }));
    unwritten.clear();
    try {
      await writeSignatureFailures(db, countedBy, rows);
    } catch (error) {
      for (const name of names) unwritten.add(name);
      throw error;
    } finally {
      forgetOld();
    }
  }

  /** Written hours that are over will not change again; of those that could not be written only so many are kept. */
  function forgetOld(): void {
    const hour = hourOf(clock());
    for (const [name, { bucketAt }] of counts) {
      const isOver = bucketAt < hour && !unwritten.has(name);
      if (!isOver && counts.size <= MAX_UNWRITTEN) continue;
      counts.delete(name);
      unwritten.delete(name);
    }
  }

  const flush = () => {
    const done = writing.then(write);
    writing = done.catch(() => {});
    return done;
  };
  const timer = setInterval(() => {
    flush().catch(error => log.warn({ err: error }, 'signature failures could not be written; tried again'));
  }, WRITE_EVERY_MS);
  timer.unref();

  return {
    failed(provider) {
      const at = clock();
      const bucketAt = hourOf(at);
      const name = `${bucketAt.toISOString()} ${provider}`;
      const count = counts.get(name) ?? { bucketAt, provider, failures: 0, latestAt: at };
      counts.set(name, { ...count, failures: count.failures + 1, latestAt: at });
      unwritten.add(name);
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush().catch(error => log.warn({ err: error }, 'the last signature failures could not be written'));
    },
  };
}

const hourOf = (at: Date) => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
