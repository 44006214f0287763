// The parts of the embedded start that need no server: who may enter which folder, and what is said where none can run.
import { expect, test } from 'vitest';
import { findBinaries } from '../src/embedded/binaries.ts';
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
