// /openapi.json: generated from the very schemas that validate, then completed with what all operations share: who may
// call them, under which heading they stand, and the problems any call can meet.
import type { Context } from 'hono';
import type { ErrorCode } from '../errors.ts';
import type { App, AppDeps, AppEnv } from './appTypes.ts';
import { ROUTE_ROLES, type Role } from './auth.ts';

type Operation = {
  tags?: string[];
  parameters?: { in: string; name: string }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, unknown>;
  security?: Record<string, string[]>[];
};
type Description = { paths?: Record<string, Record<string, Operation>> };

const SECURITY: Record<Role, Record<string, string[]>[]> = {
  open: [],
  merchant: [{ apiKey: [] }, { adminKey: [] }],
  operator: [{ adminKey: [] }],
};

/** Adds `GET /openapi.json`. To be called when all other routes are there. */
export function addOpenApi(app: App, { version = '0.0.0' }: AppDeps): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'API_KEY: what a merchant may do',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'adminKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'ADMIN_KEY: what an operator may do, and all that a merchant may',
  });
  let text: string | undefined;
  app.get('/openapi.json', (c: Context<AppEnv>) => {
    text ??= JSON.stringify(describe(app, version));
    return c.body(text, 200, { 'content-type': 'application/json' });
  });
}

function describe(app: App, version: string): Description {
  const description = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Paylatch',
      version,
      description: 'Turns payments into subscriptions exactly as often as money arrived: once.',
    },
  }) as unknown as Description;
  for (const [path, operations] of Object.entries(description.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      const role = ROUTE_ROLES[`${method.toUpperCase()} ${path}`] ?? 'operator';
      operation.tags = [path.replace('/v1/', '/').split('/')[1] ?? ''];
      operation.security = SECURITY[role];
      operation.responses = { ...sharedProblems(role, operation), ...operation.responses };
    }
  }
  return description;
}

/** The problems an operation can meet because of what it takes and who may call it; its own route names the others. */
function sharedProblems(role: Role, { parameters = [], requestBody }: Operation): Record<string, unknown> {
  const problems: Record<string, unknown> = {};
  const add = (status: number, ...codes: ErrorCode[]) => {
    problems[status] = {
      description: `Code ${codes.join(' or ')}`,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  };
  if (parameters.length > 0 || requestBody) add(400, 'invalid_request');
  if (role !== 'open') add(401, 'unauthorized');
  if (role === 'operator') add(403, 'forbidden');
  if (requestBody) add(413, 'body_too_large');
  if (requestBody) add(415, 'unsupported_media_type');
  add(500, 'internal_error');
  add(503, 'overloaded', 'provider_unreachable', 'database_unavailable');
  return problems;
}
