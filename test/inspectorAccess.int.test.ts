// Who may do what in the inspector: nobody without a session, nothing without an operator, nothing from another site.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHandler } from '../src/http/auth.ts';
import { FAILURES_PER_MINUTE } from '../src/inspector/signIn.ts';
import { ADMIN_KEY, type Answer, API_KEY } from './support/httpService.ts';
import {
  asBrowser,
  type InspectedService,
  postForm,
  type Signed,
  startInspected,
  VIEWER_KEY,
} from './support/inspector.ts';

let service: InspectedService;
let operator: Signed;
let viewer: Signed;

beforeAll(async () => {
  service = await startInspected();
  operator = await service.signIn('operator');
  viewer = await service.signIn('viewer');
});
afterAll(() => service.close());

const cookieOf = (answer: Answer) => answer.headers.get('set-cookie') ?? '';

/** Every route under /inspector, with something in the place of each parameter. */
function routes(): { method: string; path: string }[] {
  const under = service.app.routes.filter(route => isHandler(route) && route.path.startsWith('/inspector'));
  return under.map(({ method, path }) => ({
    method,
    path: path.replaceAll(/:[A-Za-z]+(\{[^}]*\})?\??/g, 'ord_00000000000000000000000000').replace('*', 'nowhere'),
  }));
}
const OPEN = [
  'GET /inspector/sign-in',
  'POST /inspector/sign-in',
  'GET /inspector/assets/ord_00000000000000000000000000',
];
const nameOf = (route: { method: string; path: string }) => `${route.method} ${route.path}`;

describe('each route of the inspector', () => {
  test('is closed without a session: pages lead to the sign-in, everything else is refused', async () => {
    const before = await service.books();
    const closed = routes().filter(route => !OPEN.includes(nameOf(route)));
    expect(closed.length).toBeGreaterThan(5);
    for (const { method, path } of closed) {
      if (method === 'GET') {
        const page = await service.call('GET', path, { key: null, headers: { accept: 'text/html' } });
        expect([path, page.status]).toEqual([path, 303]);
        expect(page.headers.get('location')).toMatch(/^\/inspector\/sign-in/);
        const part = await service.call('GET', path, { key: null });
        expect([path, part.status]).toEqual([path, 401]);
      } else {
        const answer = await service.call(method, path, {
          key: null,
          body: 'a=b',
          headers: { ...asBrowser(service), 'content-type': 'application/x-www-form-urlencoded' },
        });
        expect([method, path, answer.status]).toEqual([method, path, 401]);
      }
    }
    expect(await service.books()).toBe(before);
  });

  test('that changes something is refused to a viewer with a sentence, and to whoever has a key of the API but no session', async () => {
    const before = await service.books();
    const unsafe = routes().filter(route => route.method !== 'GET' && !/sign-(in|out)/.test(route.path));
    expect(unsafe.length).toBeGreaterThan(3);
    for (const { method, path } of unsafe) {
      const form = new URLSearchParams({ csrf: viewer.csrf, reason: 'I want to' }).toString();
      const headers = {
        ...asBrowser(service),
        cookie: viewer.cookie,
        'content-type': 'application/x-www-form-urlencoded',
      };
      const answer = await service.call(method, path, { key: null, body: form, headers });
      expect([method, path, answer.status]).toEqual([method, path, 403]);
      expect(answer.text).toContain('signed in to look only');
      const { cookie: _none, ...anonymous } = headers;
      const byKey = await service.call(method, path, { key: ADMIN_KEY, body: form, headers: anonymous });
      expect([method, path, byKey.status]).toEqual([method, path, 401]);
    }
    expect(await service.books()).toBe(before);
  });

  test('that only shows something never fails for a viewer as it does not for an operator', async () => {
    for (const { path } of routes().filter(({ method, path }) => method === 'GET' && !/live|provider$/.test(path))) {
      const [byViewer, byOperator] = [await viewer.get(path), await operator.get(path)];
      expect([path, byViewer.status < 500, byOperator.status < 500]).toEqual([path, true, true]);
    }
  });
});

describe('a form from another site', () => {
  const forged = {
    'from another origin': { origin: 'https://evil.test' },
    'from another origin, though it says otherwise': { origin: 'https://evil.test', 'sec-fetch-site': 'same-origin' },
    'from a sandboxed frame': { origin: 'null' },
    'from a sister domain': { 'sec-fetch-site': 'same-site' },
    'from another site that is told by the browser alone': { 'sec-fetch-site': 'cross-site' },
  };
  test.each(Object.entries(forged))('%s is refused with 403 and changes nothing', async (_what, headers) => {
    const before = await service.books();
    for (const path of [
      '/inspector/orders/ord_00000000000000000000000000/act/retry.requested',
      '/inspector/sign-out',
      '/inspector/sign-in',
    ]) {
      const answer = await operator.post(path, { key: ADMIN_KEY, reason: 'x' }, headers);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(cookieOf(answer)).toBe('');
    }
    expect(await service.books()).toBe(before);
  });

  test.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', ''])(
    'as %j is refused, whatever its content',
    async type => {
      const path = '/inspector/orders/ord_00000000000000000000000000/act/retry.requested';
      const answer = await service.call('POST', path, {
        key: null,
        body: JSON.stringify({ csrf: operator.csrf }),
        headers: { ...asBrowser(service), cookie: operator.cookie, 'content-type': type },
      });
      expect(answer.status).toBe(415);
    },
  );

  test('without any sign of where it comes from is refused', async () => {
    const headers = {
      accept: 'text/html',
      cookie: operator.cookie,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const answer = await service.call('POST', '/inspector/sign-out', {
      key: null,
      body: `csrf=${operator.csrf}`,
      headers,
    });
    expect(answer.status).toBe(403);
  });

  test('from our own origin, but with no token or the token of another session, is refused', async () => {
    for (const csrf of ['', 'x', viewer.csrf]) {
      const answer = await operator.post('/inspector/sign-out', { csrf });
      expect(answer.status).toBe(403);
      expect(answer.text).toContain('another session');
    }
  });
});

describe('signing in', () => {
  test('sets a cookie that scripts cannot read, that other sites cannot send, and that ends', async () => {
    const answer = await postForm(service, '/inspector/sign-in', {
      key: ADMIN_KEY,
      returnTo: '/inspector/orders?q=a%20b',
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/inspector/orders?q=a%20b');
    expect(cookieOf(answer)).toMatch(
      /^paylatch_session=s1\.operator\.\d+\.[\w-]{22}\.[\w-]{43}; Max-Age=43200; Path=\/inspector; HttpOnly; SameSite=Strict$/,
    );
    expect(cookieOf(answer)).not.toContain(ADMIN_KEY);
  });

  test('with https sets a cookie that only this host can have set', async () => {
    const secure = await startInspected({ publicUrl: 'https://pay.test' });
    const answer = await postForm(secure, '/inspector/sign-in', { key: VIEWER_KEY }, { origin: 'https://pay.test' });
    const cookie = cookieOf(answer);
    expect(cookie).toMatch(
      /^__Host-paylatch_session=s1\.viewer\.[^;]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const page = await secure.call('GET', '/inspector/nowhere', {
      key: null,
      headers: { accept: 'text/html', cookie: cookie.split(';')[0]! },
    });
    expect(page.status).toBe(404);
    await secure.close();
  });

  test.each(['', 'x', API_KEY, `${ADMIN_KEY}x`, ADMIN_KEY.toUpperCase()])('with %j is refused with 401', async key => {
    const answer = await postForm(service, '/inspector/sign-in', { key });
    expect([answer.status, cookieOf(answer)]).toEqual([401, '']);
    if (key.length > 3) expect(answer.text).not.toContain(key);
  });

  test.each([
    'https://evil.test/inspector',
    '//evil.test/inspector',
    '/\\evil.test/inspector',
    '/inspector/../../etc',
    '/inspectorx',
    '/inspector/sign-out',
    'javascript:alert(1)',
    '/\t/evil.test',
  ])('never leads out of the inspector: %j', async returnTo => {
    const answer = await postForm(service, '/inspector/sign-in', { key: ADMIN_KEY, returnTo });
    expect(answer.headers.get('location')).toBe('/inspector');
  });

  test('is not looked at after too many wrong keys within a minute, and then again', async () => {
    const world = await startInspected();
    const tryKey = (key: string) => postForm(world, '/inspector/sign-in', { key });
    for (let i = 0; i < FAILURES_PER_MINUTE; i++) expect((await tryKey(`wrong-${i}`)).status).toBe(401);
    const answer = await tryKey(ADMIN_KEY);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBe(60);
    world.world.clock.set(new Date(world.world.clock().getTime() + 60_000).toISOString());
    expect((await tryKey(ADMIN_KEY)).status).toBe(303);
    await world.close();
  });
});

describe('a session', () => {
  const isSignedIn = async (cookie: string, of: InspectedService = service) =>
    (await of.call('GET', '/inspector/nowhere', { key: null, headers: { accept: 'text/html', cookie } })).status ===
    404;

  test('is over after twelve hours', async () => {
    const other = await startInspected();
    const { cookie } = await other.signIn('operator');
    const start = other.world.clock().getTime();
    const pass = (s: number) => other.world.clock.set(new Date(start + s * 1_000).toISOString());
    pass(12 * 3_600 - 1);
    expect(await isSignedIn(cookie, other)).toBe(true);
    pass(12 * 3_600);
    expect(await isSignedIn(cookie, other)).toBe(false);
    await other.close();
  });

  test('cannot be made up, prolonged or given another role', async () => {
    const [content = ''] = operator.cookie.split('=').slice(1);
    const parts = content.split('.');
    const changed = [
      ['s1', 'operator', '9999999999', parts[3], parts[4]],
      ['s1', 'viewer', parts[2], parts[3], parts[4]],
      ['s1', 'operator', parts[2], parts[3], 'A'.repeat(43)],
      ['s1', 'operator', parts[2], parts[3]],
      ['s1', 'admin', parts[2], parts[3], parts[4]],
    ];
    const viewers = viewer.cookie.replace('.viewer.', '.operator.');
    expect(await isSignedIn(operator.cookie)).toBe(true);
    expect(await isSignedIn(viewers)).toBe(false);
    for (const forged of changed) expect(await isSignedIn(`paylatch_session=${forged.join('.')}`)).toBe(false);
  });

  test('holds in another process with the same keys, and ends when the key it came from is changed', async () => {
    const [same, otherAdmin, otherViewer] = [
      await startInspected(),
      await startInspected({ adminKey: 'admin_changed_0123456789abcdef0' }),
      await startInspected({ viewerKey: 'viewer_changed_0123456789abcdef' }),
    ];
    for (const cookie of [operator.cookie, viewer.cookie]) {
      expect(await isSignedIn(cookie, same)).toBe(true);
      expect(await isSignedIn(cookie, otherAdmin)).toBe(false);
    }
    expect(await isSignedIn(operator.cookie, otherViewer)).toBe(true);
    expect(await isSignedIn(viewer.cookie, otherViewer)).toBe(false);
    for (const one of [same, otherAdmin, otherViewer]) await one.close();
  });

  test('ends by signing out, for a viewer as well', async () => {
    const answer = await viewer.post('/inspector/sign-out');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/inspector/sign-in']);
    expect(cookieOf(answer)).toMatch(/^paylatch_session=; Max-Age=0; Path=\/inspector;/);
  });

  test('without a viewer key nobody can sign in to look only', async () => {
    const other = await startInspected({ viewerKey: null });
    expect((await postForm(other, '/inspector/sign-in', { key: VIEWER_KEY })).status).toBe(401);
    expect(await isSignedIn(viewer.cookie, other)).toBe(false);
    await other.close();
  });
});

test('every page carries a policy that lets nothing in from elsewhere and nothing inline run', async () => {
  for (const answer of [
    await operator.get('/inspector/nowhere'),
    await service.call('GET', '/inspector/sign-in', { key: null }),
  ]) {
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('referrer-policy')).toBe('same-origin');
    expect(answer.text).not.toMatch(/<style|style="|<script>|\son[a-z]+="|https?:\/\/(?!127\.0\.0\.1)/);
  }
});

test('what pages are made of is served by the service, under names that change with the content', async () => {
  const page = await service.call('GET', '/inspector/sign-in', { key: null });
  const paths = [...page.text.matchAll(/(?:href|src)="(\/inspector\/assets\/[^"]+)"/g)].map(([, path]) => path!);
  expect(paths.length).toBeGreaterThan(5);
  for (const path of paths) {
    const answer = await service.call('GET', path, { key: null });
    expect([path, answer.status]).toEqual([path, 200]);
    expect(path).toMatch(/\.[0-9a-f]{12}\.(css|js|svg)$/);
    expect(answer.headers.get('cache-control')).toContain('immutable');
  }
  expect((await service.call('GET', '/inspector/assets/..%2f..%2fpackage.json', { key: null })).status).toBe(404);
});
