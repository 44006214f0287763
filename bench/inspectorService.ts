// The inspector over real HTTP on a seeded database: the service's own app, core and database client, without worker and
// sweeper, which would work off what is stuck while it is looked at. What it asks the database is written down.
import { type Database, openDatabase, type Param } from '../db/client.ts';
import { systemClock, systemRandom } from '../src/clock.ts';
import { createCore } from '../src/core.ts';
import { createDispatch } from '../src/dispatch.ts';
import { createApp } from '../src/http/app.ts';
import { startHttpServer } from '../src/http/server.ts';
import { idsFrom } from '../src/ids.ts';
import { addInspector } from '../src/inspector/inspector.ts';
import { tallyJob } from '../src/inspector/overview/tallyJob.ts';
import { createSandboxProvider } from '../src/providers/sandbox/adapter.ts';
import { silentLog } from './benchDatabase.ts';
import { PROVIDERS } from './inspectorModels.ts';

/** As the service has. */
const DATABASE_CONNECTIONS = 10;
const KEY_BYTES = 32;
/** Where no sandbox listens. */
const NOWHERE = 'http://127.0.0.1:9';

/** One statement as a page asked it, and how long its answer took, in ms. */
export type Asked = { text: string; params: readonly Param[]; ms: number };

export type InspectorService = {
  url: string;
  /** Of an operator. */
  key: string;
  /** Counts everything that is old enough, as the sweeper does. */
  tally(): Promise<void>;
  /** What was asked since this was called before. */
  taken(): Asked[];
  close(): Promise<void>;
};

export async function startInspectorService(databaseUrl: string): Promise<InspectorService> {
  const log = silentLog();
  const asked: Asked[] = [];
  const connected = openDatabase({ url: databaseUrl, connections: DATABASE_CONNECTIONS, applicationName: 'paylatch' });
  const db = listened(connected, asked);
  const clock = systemClock;
  const newId = idsFrom(clock, systemRandom);
  const secretKey = () => Buffer.from(systemRandom(KEY_BYTES)).toString('hex');
  const dispatcher = createDispatch({ db, clock, random: systemRandom, newId, log });
  const secret = `whsec_${Buffer.from(systemRandom(KEY_BYTES)).toString('base64')}`;
  const provider = createSandboxProvider({ url: NOWHERE, secret, clock });
  const providers = new Map(PROVIDERS.map(name => [name as string, provider]));
  const about = { db, clock, newId, log, publicUrl: 'http://127.0.0.1' };
  const core = createCore({ ...about, dispatch: dispatcher.dispatch, providers, readiness: async () => ({}) });
  const admin = secretKey();
  const keys = { admin, viewer: null };
  const app = createApp({
    ...about,
    core,
    keys: { api: secretKey(), admin },
    addPages: page => void addInspector(page, { ...about, core, random: systemRandom, keys }),
  });
  const http = await startHttpServer({ app, host: '127.0.0.1', port: 0, log });
  return {
    url: http.url,
    key: admin,
    tally: () => tallyJob({ db: connected, clock, log }).run(new AbortController().signal),
    taken: () => asked.splice(0),
    async close() {
      await http.close();
      await dispatcher.close();
      await db.close();
    },
  };
}

function listened(db: Database, asked: Asked[]): Database {
  return {
    async query(text, params) {
      const from = performance.now();
      const rows = await db.query<never>(text, params);
      asked.push({ text, params, ms: performance.now() - from });
      return rows;
    },
    close: () => db.close(),
  };
}
