// What the HTTP layer is given and what it keeps per request. Every route file takes these two and nothing else.
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { NewId } from '../ids.ts';
import type { Core } from '../ports.ts';

export type AppDeps = {
  core: Core;
  keys: { api: string; admin: string };
  clock: Clock;
  newId: NewId;
  log: Logger;
  /** Of the service, shown in the API description. */
  version?: string;
  /** Called for every callback and webhook whose signature did not hold: nothing else remembers them. */
  signatureFailed?: (provider: string) => void;
  /** Adds pages that need no key and no version of the API, such as the shop at `/`. */
  addPages?: (app: App) => void;
};

/** What the server hands to each request; absent when the app is called without one. */
export type ServerState = { draining(): boolean };

export type AppEnv = {
  Bindings: { server?: ServerState };
  /** `role` is the key's; absent on calls that brought none. */
  Variables: { requestId: string; role?: 'merchant' | 'operator' };
};

export type App = OpenAPIHono<AppEnv>;
