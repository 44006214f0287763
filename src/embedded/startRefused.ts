// The one error of the embedded start: a sentence for the person who started the service, saying what to do.

/** Why the embedded PostgreSQL cannot be started. `message` is one sentence meant to be shown as it is; nothing was left running. */
export class EmbeddedStartRefused extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = 'EmbeddedStartRefused';
  }
}

/** Rethrows what a file operation on `folder` met (no permission, read-only, disk full) as one sentence; passes everything else on. */
export function refuseForFolder(folder: string, error: unknown): never {
  if (error instanceof EmbeddedStartRefused) throw error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined || !FOLDER_TROUBLE.has(code)) throw error;
  throw new EmbeddedStartRefused(
    `DATA_DIR ${folder} cannot be used (${(error as Error).message}): choose another folder or set DATABASE_URL.`,
    error,
  );
}

// What a person can mend by choosing another folder; anything else is a fault of ours and keeps its stack.
const FOLDER_TROUBLE = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'ENOTDIR',
  'EEXIST',
  'ENAMETOOLONG',
  'ENOENT',
  'EOPNOTSUPP', // a file system that holds no sockets
  'ENOTSUP',
]);
