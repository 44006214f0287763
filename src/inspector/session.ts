// Who is signed in: a cookie that says so and is signed, so that every replica and every restart reads it without storing
// anything. The signing key is derived from the keys people sign in with: a changed key signs everybody out.
import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { InspectorDeps, InspectorEnv, Viewer } from './page.ts';

/** How long a session lasts, in s: a night's watch with its hand-over, and gone before the next one. */
const SESSION_S = 12 * 60 * 60;
/** Bytes of a session's id: nobody guesses one, and no two are the same. */
const ID_BYTES = 16;
const KEY_BYTES = 32;
/** Of the cookie's content; raised when its meaning changes, so that old ones are not misread. */
const FORMAT = 's1';
const NAME = 'paylatch_session';

export type Session = { viewer: Viewer; endsAt: Date };

export type Sessions = {
  /** The role of whoever has this key; null for an unknown one. Takes as long for each. */
  roleOf(key: string): Viewer['role'] | null;
  open(c: Context<InspectorEnv>, role: Viewer['role']): void;
  /** Null without a cookie, with one that was not signed here, and when it is over. */
  read(c: Context<InspectorEnv>): Session | null;
  close(c: Context<InspectorEnv>): void;
};

type SessionDeps = Pick<InspectorDeps, 'keys' | 'clock' | 'random' | 'publicUrl'>;

export function createSessions({ keys, clock, random, publicUrl }: SessionDeps): Sessions {
  const hashes = { operator: sha256(keys.admin), viewer: keys.viewer === null ? null : sha256(keys.viewer) };
  // A viewer's session also ends when the viewer's key changes.
  const signing = {
    operator: derived(keys.admin, 'operator'),
    viewer: keys.viewer === null ? null : derived(`${keys.admin}\n${keys.viewer}`, 'viewer'),
  };
  // With https nobody but this very host may have set the cookie; over plain http browsers refuse that prefix.
  const isSecure = publicUrl.startsWith('https:');
  const prefix = isSecure ? ('host' as const) : undefined;
  const attributes = {
    httpOnly: true,
    sameSite: 'Strict',
    secure: isSecure,
    path: isSecure ? '/' : '/inspector',
  } as const;

  function signed(role: Viewer['role'], content: string): string | null {
    const key = signing[role];
    return key && createHmac('sha256', key).update(content).digest('base64url');
  }

  return {
    roleOf(key) {
      const given = sha256(key);
      const isOperator = timingSafeEqual(given, hashes.operator);
      // Without a viewer's key there is as much to compare, with what no key hashes to.
      const isViewer = timingSafeEqual(given, hashes.viewer ?? Buffer.alloc(given.length));
      if (isOperator) return 'operator';
      return isViewer && hashes.viewer ? 'viewer' : null;
    },
    open(c, role) {
      const id = Buffer.from(random(ID_BYTES)).toString('base64url');
      const content = `${FORMAT}.${role}.${Math.floor(clock().getTime() / 1_000) + SESSION_S}.${id}`;
      setCookie(c, NAME, `${content}.${signed(role, content)}`, {
        ...attributes,
        ...(prefix && { prefix }),
        maxAge: SESSION_S,
      });
    },
    read(c) {
      const cookie = getCookie(c, NAME, prefix) ?? '';
      const parts = /^(s1\.(viewer|operator)\.(\d{1,12})\.[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/.exec(cookie);
      const [, content = '', role, ends, signature = ''] = parts ?? [];
      if (role !== 'viewer' && role !== 'operator') return null;
      const expected = signed(role, content);
      if (!expected || !timingSafeEqual(sha256(signature), sha256(expected))) return null;
      const endsAt = new Date(Number(ends) * 1_000);
      if (endsAt <= clock()) return null;
      return { viewer: { role, csrf: signed(role, `csrf.${content}`) ?? '' }, endsAt };
    },
    close: c => void deleteCookie(c, NAME, { ...attributes, ...(prefix && { prefix }) }),
  };
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const derived = (secret: string, role: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `paylatch inspector session ${role}`, KEY_BYTES));
