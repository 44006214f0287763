// What stops a start and is not our fault: a setting, a folder, a port, a database. The person who started the service
// gets one sentence that names the variable and the reason; everything else keeps its stack.
import { type Config, ConfigError } from './config.ts';
import { EmbeddedStartRefused } from './embedded/startRefused.ts';

type Failure = Error & { code?: string; syscall?: string; address?: string; port?: number };

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'this user may not open that port',
  EADDRNOTAVAIL: 'this machine does not have that address',
};
/** Names that the resolver does not know, or not now. */
const UNKNOWN_NAME = new Set(['ENOTFOUND', 'EAI_AGAIN']);
/** No connection: network codes, and postgres.js's own. */
const UNREACHABLE = /^(E[A-Z]+|EAI_AGAIN|CONNECT_TIMEOUT|CONNECTION_CLOSED|CONNECTION_ENDED)$/;
/** Refused logins and databases, too many connections, starting up or shutting down, no right to make tables. */
const REFUSED = /^(28|3D|08|53|57)[0-9A-Z]{3}$|^42501$/;

/** The sentence for the terminal, or null when this is a fault of ours. */
export function startSentence(error: unknown): string | null {
  return error instanceof ConfigError || error instanceof EmbeddedStartRefused ? error.message : null;
}

/** Rethrows why an address cannot be listened on as a sentence about the variables that chose it. */
export function refuseForAddress(variable: 'PORT' | 'SANDBOX_PORT', host: string, port: number, error: unknown): never {
  const { code = '' } = error as Failure;
  if (UNKNOWN_NAME.has(code)) throw new ConfigError(`HOST ${host} is no address of this machine: the name is unknown.`);
  const reason = LISTEN_REASONS[code];
  if (!reason) throw error;
  throw new ConfigError(`${variable} ${port} on ${host} cannot be used: ${reason}.`);
}

/** Rethrows why the database of DATABASE_URL does not let us in as a sentence; never with its password. */
export function refuseForDatabase({ databaseUrl }: Config, error: unknown): never {
  const cause = rootOf(error);
  const { code = '' } = cause;
  if (!databaseUrl || !(UNREACHABLE.test(code) || REFUSED.test(code))) throw error;
  // Several addresses of one name fail together without a message of their own.
  throw new ConfigError(`DATABASE_URL cannot be used: ${(cause.message || code).replace(/\.$/, '')}.`);
}

function rootOf(error: unknown): Failure {
  const failure = error as Failure;
  if (failure.code) return failure;
  return failure.cause instanceof Error ? rootOf(failure.cause) : failure;
}
