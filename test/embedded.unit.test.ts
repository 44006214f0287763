// The parts of the embedded start that need no server: who may enter which folder, who gets its lock, and what is said
// where no server can run.
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemRandom } from '../src/clock.ts';
import { findBinaries } from '../src/embedded/binaries.ts';
import { lockFolder } from '../src/embedded/folderLock.ts';
import { closedFolderSentence, type Folder, firstClosedFolder, nobodyIn } from '../src/embedded/identity.ts';
import { EmbeddedStartRefused } from '../src/embedded/startRefused.ts';

const nobody = { uid: 65534, gid: 65534 };
const folder = (path: string, mode: number, uid = 0, gid = 0): Folder => ({ path, mode: 0o040000 | mode, uid, gid });

test('a clone below a closed home folder is refused in one sentence that names the folder and what helps', () => {
  const folders = [folder('/', 0o755), folder('/root', 0o700), folder('/root/paylatch', 0o755)];
  const closed = firstClosedFolder(folders, nobody);
  expect(closed?.path).toBe('/root');
  const sentence = closedFolderSentence(closed!, nobody, 'the PostgreSQL binaries of this installation');
  expect(sentence).toContain('/root (mode 0700)');
  expect(sentence).toContain('set DATABASE_URL');
  expect(sentence.match(/\.( |$)/g)).toHaveLength(1);
});

test('only the class a user falls into decides: owner before group before others', () => {
  expect(firstClosedFolder([folder('/a', 0o711)], nobody)).toBeNull();
  expect(firstClosedFolder([folder('/a', 0o710)], nobody)?.path).toBe('/a');
  expect(firstClosedFolder([folder('/a', 0o710, 0, 65534)], nobody)).toBeNull();
  expect(firstClosedFolder([folder('/a', 0o701, 0, 65534)], nobody)?.path).toBe('/a');
  expect(firstClosedFolder([folder('/a', 0o700, 65534)], nobody)).toBeNull();
  expect(firstClosedFolder([folder('/a', 0o677, 65534, 65534)], nobody)?.path).toBe('/a');
});

test('nobody is looked up, with macOS negative ids, and has a default', () => {
  expect(nobodyIn('root:x:0:0::/:/bin/sh\nnobody:x:99:98:Nobody:/:/sbin/nologin\n')).toEqual({ uid: 99, gid: 98 });
  expect(nobodyIn('nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n')).toEqual({
    uid: 4294967294,
    gid: 4294967294,
  });
  expect(nobodyIn('root:x:0:0::/:/bin/sh\n')).toEqual(nobody);
});

test.each([
  ['win32', 'x64'],
  ['freebsd', 'x64'],
  ['linux', 'riscv64'],
] as const)('on %s-%s, where no server can run, the refusal says to set DATABASE_URL', async (platform, arch) => {
  const refusal = await findBinaries(platform, arch).catch(error => error);
  expect(refusal).toBeInstanceOf(EmbeddedStartRefused);
  expect(refusal.message).toContain(`${platform}-${arch}`);
  expect(refusal.message).toContain('set DATABASE_URL');
});

test('of many that find a dead socket at the same instant exactly one gets the lock, and sweeps up', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paylatch-test-lock-'));
  try {
    const dead = createServer();
    await new Promise<void>(resolve => dead.listen(join(folder, 'dead'), resolve));
    await rename(join(folder, 'dead'), join(folder, 'service.sock'));
    await new Promise(resolve => dead.close(resolve)); // closing removes the file under its first name only
    await writeFile(join(folder, 'service-00000000.sock'), 'left by a start that was killed');
    const racing = Array.from({ length: 20 }, () => lockFolder(folder, systemRandom));
    // Halting the loop lets what all of them wait for arrive in one turn, so that several find nobody before any has taken the name.
    const halts = setInterval(() => haltLoop(30));
    setTimeout(() => clearInterval(halts), 150); // long before a busy holder would count as silent
    const attempts = await Promise.allSettled(racing);
    const won = attempts.filter(attempt => attempt.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const attempt of attempts)
      if (attempt.status === 'rejected') expect(attempt.reason.message).toContain(`(process ${process.pid})`);
    expect(await readdir(folder)).toEqual(['service.sock']);
    await won[0]?.value.release();
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

function haltLoop(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
