// Who holds a database folder that will not start: names the processes, and tells a lock file that only seems held
// because its process id was given to another program since (in containers the same few ids come back all the time).
import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';

type Holder = { pid: number; name: string };

const LOCK_FILE = 'postmaster.pid';

/** One sentence naming the processes that hold the folder. */
export async function holdersSentence(databaseFolder: string): Promise<string> {
  const [present, written] = await Promise.all([processesIn(databaseFolder), writtenPid(databaseFolder)]);
  // The server itself where it is known; its own processes end with it. Without it, whatever is left of them.
  const server = present.filter(({ pid }) => pid === written);
  const holders = server.length > 0 ? server : present;
  if (holders.length === 0 && written !== null) holders.push({ pid: written, name: await programName(written) });
  const names = holders.map(({ pid, name }) => `process ${pid}${name === '' ? '' : ` (${name})`}`).join(', ');
  return `The database folder ${databaseFolder} is held by ${names || 'an earlier server'}, which has not ended: end it and start again.`;
}

/**
 * Removes the lock file when the process it names certainly is no PostgreSQL in this folder; says whether it did. Only
 * where /proc tells, and only for the holder of DATA_DIR's lock: no live service of ours can own the server in question.
 */
export async function removeForeignLock(databaseFolder: string): Promise<boolean> {
  const pid = await writtenPid(databaseFolder);
  if (pid === null) return false;
  const [name, folder] = await Promise.all([programName(pid), currentFolder(pid)]);
  if (name === '' || name.startsWith('postgres') || folder === null || folder === databaseFolder) return false;
  if ((await processesIn(databaseFolder)).length > 0) return false;
  await rm(join(databaseFolder, LOCK_FILE), { force: true });
  return true;
}

async function writtenPid(databaseFolder: string): Promise<number | null> {
  const text = await readFile(join(databaseFolder, LOCK_FILE), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

/** Every PostgreSQL process works in its database's folder. Empty where there is no /proc. */
async function processesIn(databaseFolder: string): Promise<Holder[]> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter(pid => pid > 0);
  const found = await Promise.all(
    pids.map(async pid =>
      (await currentFolder(pid)) === databaseFolder ? { pid, name: await programName(pid) } : null,
    ),
  );
  return found.filter(holder => holder !== null);
}

function currentFolder(pid: number): Promise<string | null> {
  return readlink(`/proc/${pid}/cwd`).catch(() => null);
}

async function programName(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
}
