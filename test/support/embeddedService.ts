// A service that does nothing but hold an embedded PostgreSQL, for tests that kill it. Run as a program of its own:
// `node --import tsx embeddedService.ts DATA_DIR`; says one line of JSON when it is ready or refused. SIGTERM stops it.
import { systemRandom } from '../../src/clock.ts';
import { startEmbeddedPostgres } from '../../src/embedded/embeddedPostgres.ts';
import { EmbeddedStartRefused } from '../../src/embedded/startRefused.ts';

// The strictest usual umask: nothing in the start may rely on a kinder one.
process.umask(0o077);

const [, , dataDir = ''] = process.argv;
try {
  const server = await startEmbeddedPostgres({
    dataDir,
    random: systemRandom,
    log: { info: () => {}, warn: (fields, message) => console.error(message, fields) },
    env: { PATH: process.env.PATH ?? '' },
  });
  const alive = setInterval(() => {}, 60_000);
  process.once('SIGTERM', () => server.stop().then(() => clearInterval(alive)));
  console.log(JSON.stringify({ url: server.url, pid: server.pid }));
} catch (error) {
  if (!(error instanceof EmbeddedStartRefused)) throw error;
  console.log(JSON.stringify({ refused: error.message }));
}
