// What readiness rests on, by name.
import type { Database } from '../db/client.ts';

/** How long the sandbox may take to say that it is there, in ms: it is on this machine or the next one. */
const READY_TIMEOUT_MS = 1_000;

/** Named for operators: what has to be well before this service should be sent work. */
export async function readinessOf(db: Database, sandboxUrl: string | null): Promise<Record<string, boolean>> {
  const works = (attempt: Promise<unknown>) => attempt.then(Boolean, () => false);
  const [database, sandbox] = await Promise.all([works(db.query('select 1', [])), works(sandboxAnswers(sandboxUrl))]);
  return sandboxUrl ? { database, sandbox } : { database };
}

async function sandboxAnswers(url: string | null): Promise<boolean> {
  if (!url) return false;
  return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) })).ok;
}
