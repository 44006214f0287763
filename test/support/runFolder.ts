// One folder for whatever a test run lays down among the temporary files: it goes with the run, and if the run is killed,
// with the next one.
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../src/clock.ts';
import { lockFolder } from '../../src/embedded/folderLock.ts';

const PREFIX = 'paylatch-test-run-';
/** A younger folder than this, in ms, may be one whose run has not taken it yet. */
const BEGINS_MS = 60_000;
/** Like the system's own: whoever a test runs a process as may write here, and remove only what is theirs. */
const LIKE_TMP = 0o1777;

export default async function setup(): Promise<() => Promise<void>> {
  const outside = tmpdir();
  await removeDeserted(outside);
  const folder = await mkdtemp(join(outside, PREFIX));
  const lock = await lockFolder(folder, systemRandom);
  await chmod(folder, LIKE_TMP);
  // Workers are started with this process's environment, and later than this.
  process.env.TMPDIR = folder;
  return async () => {
    process.env.TMPDIR = outside;
    await lock.release();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Runs that were killed: nobody holds their folder any more. What cannot be removed is left to the next run. */
async function removeDeserted(outside: string): Promise<void> {
  const names = (await readdir(outside)).filter(name => name.startsWith(PREFIX));
  for (const folder of names.map(name => join(outside, name))) {
    try {
      if (Date.now() - (await stat(folder)).birthtimeMs < BEGINS_MS) continue;
      const lock = await lockFolder(folder, systemRandom);
      await rm(folder, { recursive: true, force: true }).finally(() => lock.release());
    } catch {
      // A living run's, somebody else's, or not quite deserted.
    }
  }
}
