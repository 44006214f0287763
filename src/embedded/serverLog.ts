// The file the server writes to. A file rather than a pipe to us: the server's last words must land somewhere even
// when we are the ones that died. Kept small from both ends: at start and while it runs.
import { copyFile, open } from 'node:fs/promises';

export type ServerLog = {
  path: string;
  fd: number;
  /** Bytes written so far; a mark for `since`. */
  size(): Promise<number>;
  /** What was written after the mark, at most its last TAIL_BYTES. */
  since(mark: number): Promise<string>;
  close(): Promise<void>;
};

// Enough for months of starts and stops; with the one older copy kept beside it the log never takes more than about 8 MB.
const MAX_LOG_BYTES = 4 * 1024 * 1024;
// Often enough that a server in trouble writes some MB more at the worst, seldom enough to cost nothing.
const LOG_CHECK_MS = 60_000;
const TAIL_BYTES = 16 * 1024;

/** Opens (or makes, readable only by us) the log at `path`; its predecessor of MAX_LOG_BYTES or more becomes `path`.1. */
export async function openServerLog(path: string): Promise<ServerLog> {
  const file = await open(path, 'a+', 0o600);
  const size = async () => (await file.stat()).size;
  const shorten = async () => {
    if ((await size()) < MAX_LOG_BYTES) return;
    // Copied and emptied, not renamed: the running server keeps its descriptor. Lines written in between are lost.
    await copyFile(path, `${path}.1`);
    await file.truncate(0);
  };
  await shorten();
  const timer = setInterval(() => shorten().catch(() => {}), LOG_CHECK_MS); // a full disk fails here too; next minute again
  timer.unref();
  return {
    path,
    fd: file.fd,
    size,
    since: async mark => {
      const end = await size();
      const from = Math.max(end < mark ? 0 : mark, end - TAIL_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
      return buffer.toString('utf8', 0, bytesRead);
    },
    close: async () => {
      clearInterval(timer);
      await file.close();
    },
  };
}
