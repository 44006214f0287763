// The structure as a test: who may import whom, who alone writes orders, calls the engine, reads the environment, the
// clock and randomness. A rule that only stands in a document is broken by the third commit.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDERS = ['machines', 'db', 'src'];

type Source = { path: string; text: string; code: string; imports: { from: string; typeOnly: boolean }[] };

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => sourceAt(join(ROOT, folder, name)));
}

function sourceAt(file: string): Source {
  const text = readFileSync(file, 'utf8');
  const statics = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'/gms)];
  const dynamics = [...text.matchAll(/\bimport\(()'([^']+)'\)/g)];
  const imports = [...statics, ...dynamics].map(([, type, from = '']) => ({
    from: from.startsWith('.') ? relative(ROOT, resolve(dirname(file), from)) : from,
    typeOnly: Boolean(type),
  }));
  // Comments may name what code may not do.
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  return { path: relative(ROOT, file), text, code, imports };
}

const sources = FOLDERS.flatMap(sourcesIn);
const inFolder = (folder: string) => sources.filter(source => source.path.startsWith(`${folder}/`));

/** Places where `pattern` occurs in code, outside the files that may have it. */
function offenders(among: Source[], pattern: RegExp, allowed: string[] = []): string[] {
  return among.filter(source => !allowed.includes(source.path) && pattern.test(source.code)).map(source => source.path);
}

describe('import directions', () => {
  test('machines imports nothing of ours but machines', () => {
    const bad = inFolder('machines').flatMap(({ path, imports }) =>
      imports
        .filter(({ from }) => !['xstate', 'zod'].includes(from) && !from.startsWith('machines/'))
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(bad).toEqual([]);
  });

  test('db imports only types of machines, and nothing of src', () => {
    const bad = inFolder('db').flatMap(({ path, imports }) =>
      imports
        .filter(({ from, typeOnly }) => from.startsWith('src/') || (from.startsWith('machines/') && !typeOnly))
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(bad).toEqual([]);
  });

  test('the http layer reaches the database and the machine only through what it is given', () => {
    const vocabulary = ['machines/orderEvents.ts', 'machines/orderStates.ts'];
    const bad = inFolder('src/http').flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ from, typeOnly }) =>
            from.startsWith('db/') || (from.startsWith('machines/') && !typeOnly && !vocabulary.includes(from)),
        )
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(bad).toEqual([]);
  });

  test('providers know neither the database nor dispatch', () => {
    const bad = inFolder('src/providers').flatMap(({ path, imports }) =>
      imports
        .filter(({ from }) => from.startsWith('db/') || from.startsWith('src/dispatch'))
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(bad).toEqual([]);
  });

  test('only main.ts is imported by nobody and imports the parts it starts', () => {
    const starters = [
      'src/http/server.ts',
      'src/embedded/embeddedPostgres.ts',
      'src/providers/sandbox/server.ts',
      'src/dispatch.ts',
    ];
    const bad = sources.flatMap(({ path, imports }) =>
      imports
        .filter(
          ({ from, typeOnly }) =>
            path !== 'src/main.ts' && !typeOnly && (from === 'src/main.ts' || starters.includes(from)),
        )
        .map(({ from }) => `${path} → ${from}`),
    );
    expect(bad).toEqual([]);
  });

  test('every source file is reachable from an entry point or a test', () => {
    const entries = [
      'src/main.ts',
      ...sources.map(source => source.path).filter(path => /^(src\/cli|db\/schema)\//.test(path)),
    ];
    const reached = new Set<string>();
    const queue = [...entries];
    const byPath = new Map(sources.map(source => [source.path, source]));
    for (let path = queue.pop(); path; path = queue.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      queue.push(...(byPath.get(path)?.imports.map(({ from }) => from) ?? []));
    }
    const checkedByTests = ['db/foldCheck.ts'];
    expect(
      sources.map(source => source.path).filter(path => !reached.has(path) && !checkedByTests.includes(path)),
    ).toEqual([]);
  });
});

describe('one writer, one decider', () => {
  test('orders are inserted by db/insertOrder.ts and updated by db/commit.ts, by nobody else', () => {
    expect(offenders(sources, /insert\s+into\s+orders/i, ['db/insertOrder.ts'])).toEqual([]);
    expect(
      offenders(
        sources,
        /(update\s+(only\s+)?orders|delete\s+from\s+orders|\.(update|insert|delete)\(\s*orders\s*\))/i,
        ['db/commit.ts'],
      ),
    ).toEqual([]);
    expect(sources.find(source => source.path === 'db/commit.ts')?.code).toMatch(/update orders/);
  });

  test('subscriptions are written by db/commit.ts, and the wish to end one by db/subscriptionEnd.ts', () => {
    const writes = /(insert\s+into|update(\s+only)?|delete\s+from)\s+subscriptions\b/i;
    expect(offenders(sources, writes, ['db/commit.ts', 'db/subscriptionEnd.ts'])).toEqual([]);
    const wish = sources.find(source => source.path === 'db/subscriptionEnd.ts')?.code ?? '';
    expect(wish.match(/update subscriptions set ([^\n]*)\n/)?.[1]).toBe(
      'cancel_at_end = true, version = version + case when cancel_at_end then 0 else 1 end,',
    );
    expect(wish).not.toMatch(/insert\s+into\s+subscriptions/i);
  });

  test('the engine’s transition is called in machines/decide.ts only', () => {
    expect(
      offenders(sources, /\b(initialTransition|transition|createActor|getNextSnapshot)\(/, ['machines/decide.ts']),
    ).toEqual([]);
  });

  test('the driver is used in db/client.ts and db/migrate.ts only, and never for a transaction', () => {
    const drivers = sources.filter(({ imports }) =>
      imports.some(({ from }) => from === 'postgres' || from.startsWith('drizzle-orm/postgres-js')),
    );
    const allowed = ['db/client.ts', 'db/migrate.ts', 'src/embedded/cluster.ts'];
    expect(drivers.map(source => source.path).filter(path => !allowed.includes(path))).toEqual([]);
    expect(offenders(sources, /\.(begin|transaction|savepoint)\(/)).toEqual([]);
    expect(offenders(sources, /[`'"]\s*(begin|commit|rollback)\b/i)).toEqual([]);
  });

  test('no SQL waits for a lock by advice, fires a trigger or counts a sequence', () => {
    expect(offenders(sources, /pg_advisory|create\s+trigger|plpgsql|nextval|listen\s+\w+;/i)).toEqual([]);
    const migrations = readdirSync(join(ROOT, 'db/migrations')).filter(name => name.endsWith('.sql'));
    expect(migrations.length).toBeGreaterThan(0);
    for (const name of migrations) {
      expect(readFileSync(join(ROOT, 'db/migrations', name), 'utf8')).not.toMatch(
        // A column may be named so: what is meant is the statement that makes one.
        /create\s[a-z\s]*trigger|plpgsql|sequence|serial|deferrable/i,
      );
    }
  });
});

describe('the world comes in through few doors', () => {
  test('the environment is read in src/config.ts only', () => {
    expect(offenders(sources, /process\.env|import\.meta\.env/, ['src/config.ts'])).toEqual([]);
  });

  test('time and randomness come from src/clock.ts only', () => {
    expect(
      offenders(sources, /\bDate\.now\(|new Date\(\)|Math\.random\(|randomUUID\(|randomBytes\(/, ['src/clock.ts']),
    ).toEqual([]);
  });

  test('machines has no timers, no I/O and no randomness', () => {
    expect(offenders(inFolder('machines'), /setTimeout|setInterval|fetch\(|node:|performance\.|console\./)).toEqual([]);
  });

  test('product code knows no test mode', () => {
    expect(offenders(sources, /NODE_ENV|VITEST|\bisTest\b/)).toEqual([]);
  });
});

describe('the size of things', () => {
  test('no file is longer than 300 lines', () => {
    const long = sources
      .filter(source => source.text.split('\n').length > 301)
      .map(source => `${source.path}: ${source.text.split('\n').length}`);
    expect(long).toEqual([]);
  });

  test('every file says at its top what it is for', () => {
    expect(sources.filter(source => !/^(#!.*\n)?(\/\/|\/\*)/.test(source.text)).map(source => source.path)).toEqual([]);
  });

  test('no file or folder has a name that could hold anything', () => {
    expect(
      sources
        .map(source => source.path)
        .filter(path => /(utils?|helpers?|services?|common|misc)(\/|\.ts$)/i.test(path)),
    ).toEqual([]);
  });

  test('xstate is pinned exactly', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(dependencies.xstate).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
