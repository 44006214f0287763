// Who the server runs as, and whether that user can reach its files. PostgreSQL refuses to run as root, so a service
// started by root gives the server to `nobody`, who must then be able to enter every folder on the way.
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export type ServerIdentity = { uid: number; gid: number };
export type Folder = { path: string; mode: number; uid: number; gid: number };

// The ids nearly every system gives to `nobody`; used where the user list does not name it.
const NOBODY: ServerIdentity = { uid: 65534, gid: 65534 };
const ROOT_UID = 0;

/**
 * The user to start the server as, or null for "as we are". As root: the owner of the database's folder if there is
 * one already (a folder first used by an ordinary user keeps its owner), else `nobody`.
 */
export async function serverIdentity(ourUid: number, databaseFolder: string): Promise<ServerIdentity | null> {
  if (ourUid !== ROOT_UID) return null;
  const owner = await stat(databaseFolder).catch(() => null);
  if (owner && owner.uid !== ROOT_UID) return { uid: owner.uid, gid: owner.gid };
  return nobodyIn(await readFile('/etc/passwd', 'utf8').catch(() => ''));
}

/** Reads `nobody` out of the text of /etc/passwd. macOS writes -2 there, which as an unsigned id is 4294967294. */
export function nobodyIn(passwd: string): ServerIdentity {
  const [, uid, gid] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(passwd) ?? [];
  return uid === undefined || gid === undefined ? NOBODY : { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

/** Every folder from the root down to `path`, `path` itself included. */
export async function foldersDownTo(path: string): Promise<Folder[]> {
  const paths = [path];
  for (let at = path; dirname(at) !== at; at = dirname(at)) paths.unshift(dirname(at));
  return Promise.all(
    paths.map(async at => {
      const { mode, uid, gid } = await stat(at);
      return { path: at, mode, uid, gid };
    }),
  );
}

/** The first folder `who` cannot enter, or null. Pure: the class that counts is the owner's, else the group's, else the others'. */
export function firstClosedFolder(folders: Folder[], who: ServerIdentity): Folder | null {
  return folders.find(folder => !canEnter(folder, who)) ?? null;
}

/** One sentence about a closed folder on the way to `what`. */
export function closedFolderSentence(closed: Folder, who: ServerIdentity, what: string): string {
  const mode = (closed.mode & 0o7777).toString(8).padStart(4, '0');
  return (
    `Started as root, the database server runs as user ${who.uid}, who cannot enter ${closed.path} (mode ${mode}) to reach ${what}: ` +
    `open it with chmod o+x, move to a folder that others can enter, start as an ordinary user, or set DATABASE_URL.`
  );
}

function canEnter(folder: Folder, who: ServerIdentity): boolean {
  if (folder.uid === who.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === who.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
}
