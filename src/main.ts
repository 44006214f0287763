// The composition root: everything is made here, once, and handed on. Starts the parts in the order they need each
// other and stops them in the opposite one.
import { mkdir, realpath } from 'node:fs/promises';
import { type Logger, pino } from 'pino';
import { type Database, openDatabase } from '../db/client.ts';
import { migrate } from '../db/migrate.ts';
import { listPlans, putPlan } from '../db/plans.ts';
import manifest from '../package.json' with { type: 'json' };
import { systemClock, systemRandom } from './clock.ts';
import { type Config, readConfig } from './config.ts';
import { createCore } from './core.ts';
import { createDispatch } from './dispatch.ts';
import { providerHandlers } from './effects/handlers/providerHandlers.ts';
import { startWorker, type Worker } from './effects/worker.ts';
import { startEmbeddedPostgres } from './embedded/embeddedPostgres.ts';
import { lockFolder } from './embedded/folderLock.ts';
import { EXAMPLE_PLANS } from './examplePlans.ts';
import { createApp } from './http/app.ts';
import type { App } from './http/appTypes.ts';
import { freePort, hostInUrl } from './http/freePort.ts';
import { addPayPages } from './http/payPages.ts';
import { SHUTDOWN_MS, startHttpServer } from './http/server.ts';
import { idsFrom } from './ids.ts';
import { addInspector, type Inspector } from './inspector/inspector.ts';
import { countSignatureFailures } from './inspector/overview/signatureFailures.ts';
import { tallyJob } from './inspector/overview/tallyJob.ts';
import { type Keys, loadKeys } from './keys.ts';
import { alertHandler } from './notifications/alert.ts';
import { createNotifications, type Notifications } from './notifications/notifications.ts';
import type { Core } from './ports.ts';
import { configuredProviders } from './providers/configured.ts';
import type { PaymentProvider } from './providers/provider.ts';
import { createSandboxProvider, SANDBOX_PROVIDER } from './providers/sandbox/adapter.ts';
import { startSandboxServer } from './providers/sandbox/server.ts';
import { readinessOf } from './readiness.ts';
import { listingJob } from './reconcile/job.ts';
import { addShop } from './shop/shop.ts';
import { refuseForAddress, refuseForDatabase, startSentence } from './startTrouble.ts';
import { startSweeper } from './sweeper/sweeper.ts';

/** Connections kept: two lanes, checkouts and reads beside them; PostgreSQL's default allows a hundred in all. */
const DATABASE_CONNECTIONS = 10;

const clock = systemClock;
const random = systemRandom;
const newId = idsFrom(clock, random);
/** Between 0 and 1. */
const jitter = () => (random(1)[0] ?? 0) / 256;

/** What runs, in the order it was started; stopped backwards. */
const running: { name: string; close: () => Promise<unknown> }[] = [];

async function start(config: Config, log: Logger): Promise<string> {
  const databaseUrl = config.databaseUrl ?? (await startDatabase(config, log));
  // After the database, which makes the folder so that its own user gets through, and holds it for this service alone.
  const keys = await loadKeys(config, random, lines => process.stdout.write(`${lines.join('\n')}\n`));
  await migrate(databaseUrl).catch(error => refuseForDatabase(config, error));
  const db = openDatabase({ url: databaseUrl, connections: DATABASE_CONNECTIONS, applicationName: 'paylatch' });
  running.push({ name: 'database connections', close: () => db.close() });
  // Before anything is told where we are, although others could take the port until we listen on it.
  const port = await freePort(config.host, config.port);
  const publicUrl = config.publicUrl ?? `http://${hostInUrl(config.host)}:${port}`;
  const sandbox = config.sandbox && (await startSandbox(config, config.sandbox, keys, publicUrl, log));
  if (sandbox) await seedExamplePlans(db);
  const providers = new Map<string, PaymentProvider>(sandbox ? [[SANDBOX_PROVIDER, sandbox.provider]] : []);
  for (const provider of await configuredProviders({ settings: config.providers, publicUrl, clock, jitter })) {
    providers.set(provider.name, provider);
  }
  let worker: Worker | null = null;
  const effectsWritten = () => worker?.wake();
  const dispatcher = createDispatch({ db, clock, random, newId, log, effectsWritten });
  running.push({ name: 'dispatch', close: () => dispatcher.close() });
  const { notificationPrivateAddresses: privateAddresses } = config;
  const notifications = createNotifications({ db, clock, newId, log, key: keys.notificationKey, privateAddresses });
  const core = createCore({
    db,
    dispatch: dispatcher.dispatch,
    providers,
    publicUrl,
    clock,
    newId,
    log,
    notifications,
    readiness: () => readinessOf(db, sandbox?.url ?? null),
  });
  worker = startBackground({ config, db, core, notifications, publicUrl, log });
  await startHttp({ config, keys, db, core, port, publicUrl, log });
  return publicUrl;
}

type HttpDeps = {
  config: Config;
  keys: Keys;
  db: Database;
  core: Core;
  port: number;
  publicUrl: string;
  log: Logger;
};

async function startHttp({ config, keys, db, core, port, publicUrl, log }: HttpDeps): Promise<void> {
  const failures = countSignatureFailures({ db, clock, newId, log });
  running.push({ name: 'signature failures', close: () => failures.close() });
  let streams: Inspector | null = null;
  const addPages = (app: App) => {
    addShop(app, { core, clock, newId });
    addPayPages(app, core);
    const inspectorKeys = { admin: keys.adminKey, viewer: config.viewerKey };
    streams = addInspector(app, { db, core, clock, newId, random, log, keys: inspectorKeys, publicUrl });
  };
  const app = createApp({
    core,
    keys: { api: keys.apiKey, admin: keys.adminKey },
    clock,
    newId,
    log,
    version: manifest.version,
    signatureFailed: provider => failures.failed(provider),
    addPages,
  });
  const http = await startHttpServer({ app, host: config.host, port, log }).catch(error =>
    refuseForAddress('PORT', config.host, port, error),
  );
  running.push({ name: 'http', close: () => http.close() });
  // Before it: what streams to browsers would hold it up until its own end.
  running.push({ name: 'streams', close: async () => streams?.close() });
}

type BackgroundDeps = {
  config: Config;
  db: Database;
  core: Core;
  notifications: Notifications;
  publicUrl: string;
  log: Logger;
};

/** What happens without being called for: effects are carried out, deadlines pass, providers are asked. */
function startBackground({ config, db, core, notifications, publicUrl, log }: BackgroundDeps): Worker {
  // The core's dispatch: a charge finds its renewal, and a payment brings what was told of it too early.
  const deps = { db, dispatch: core.dispatch, providers: core.providers, clock, newId, log };
  const sweeper = startSweeper({ ...deps, jobs: [listingJob({ ...deps, jitter }), tallyJob(deps)] });
  running.push({ name: 'sweeper', close: () => sweeper.close() });
  const handlers = {
    ...providerHandlers(deps),
    notify: notifications.notifyHandler,
    alert: alertHandler({ ...deps, webhookUrl: config.alertWebhookUrl, publicUrl }),
  };
  const worker = startWorker({ db, handlers, clock, random, newId, log, workerId: newId('wrk') });
  running.push({ name: 'worker', close: () => worker.close() });
  return worker;
}

async function startDatabase(config: Config, log: Logger): Promise<string> {
  const server = await startEmbeddedPostgres({ dataDir: config.dataDir, random, log, env: { PATH: config.path } });
  running.push({ name: 'database', close: () => server.stop() });
  void server.exited.then(({ asked, sentence }) => {
    if (asked) return;
    // Without its database the service can do nothing; whoever runs it starts it again.
    log.fatal(sentence);
    process.exit(1);
  });
  return server.url;
}

async function startSandbox(
  config: Config,
  { own, url, port }: NonNullable<Config['sandbox']>,
  keys: Keys,
  publicUrl: string,
  log: Logger,
): Promise<{ provider: PaymentProvider; url: string }> {
  const secret = keys.sandboxWebhookSecret;
  if (!own && url) return { provider: createSandboxProvider({ url, secret, clock }), url };
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  if (config.databaseUrl) await holdFolder(config.dataDir);
  const webhookUrl = `${publicUrl}/v1/webhooks/sandbox`;
  const server = await startSandboxServer({
    port,
    publicUrl: url ?? undefined,
    webhookUrl,
    secret,
    dataDir: config.dataDir,
    clock,
    random,
    log,
  }).catch(error => refuseForAddress('SANDBOX_PORT', '127.0.0.1', port, error));
  running.push({ name: 'sandbox', close: () => server.close() });
  return { provider: createSandboxProvider({ url: server.localUrl, secret, clock }), url: server.localUrl };
}

/** Two sandboxes that write one journal would lose each other's payments. The embedded database holds its folder itself. */
async function holdFolder(dataDir: string): Promise<void> {
  const lock = await lockFolder(await realpath(dataDir), random);
  running.push({ name: 'folder', close: () => lock.release() });
}

async function seedExamplePlans(db: Database): Promise<void> {
  if ((await listPlans(db)).length > 0) return;
  for (const plan of EXAMPLE_PLANS) await putPlan(db, plan);
}

async function stop(log: Logger): Promise<void> {
  for (let part = running.at(-1); part; part = running.at(-1)) {
    const { name } = part;
    await part.close().catch((error: unknown) => log.error({ err: error, part: name }, 'a part did not stop cleanly'));
    running.splice(running.indexOf(part), 1);
  }
}

async function main(): Promise<void> {
  const config = readConfig();
  const log = pino({ level: config.logLevel, base: undefined });
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      log.info({ signal }, 'stopping');
      // A slow provider may keep a part busy for minutes; whatever it does is sound when it is cut, as after any crash.
      setTimeout(() => {
        log.error({ limitMs: SHUTDOWN_MS, left: running.map(({ name }) => name) }, 'not everything ended in time');
        process.exit(1);
      }, SHUTDOWN_MS).unref();
      void stop(log).then(() => process.exit(0));
    });
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    // Nobody knows what is still sound after this: stop, and let a normal start recover.
    process.on(event, error => {
      log.fatal({ err: error }, event);
      process.exit(1);
    });
  }
  try {
    const url = await start(config, log);
    process.stdout.write(
      `Paylatch is ready: ${url} (shop), ${url}/inspector (inspector), ${url}/docs (API reference)\n`,
    );
  } catch (error) {
    // Told to stop while starting: what failed is what was closed under it, and the signal's handler ends the process.
    if (stopping) return;
    await stop(log);
    throw error;
  }
}

main().catch((error: unknown) => {
  const sentence = startSentence(error);
  if (sentence) process.stderr.write(`Paylatch cannot start: ${sentence}\n`);
  else console.error('Paylatch cannot start:', error);
  process.exit(1);
});
