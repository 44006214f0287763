// Liveness says that the process answers; readiness that it should be sent work. A database that is down makes it
// unready, never dead: a restart would not bring it back.
import { createRoute, z } from '@hono/zod-openapi';
import type { App, AppDeps } from './appTypes.ts';
import { answers } from './contents.ts';

const live = createRoute({
  method: 'get',
  path: '/health/live',
  summary: 'Does the process answer?',
  responses: { 200: answers(z.object({ live: z.literal(true) }), 'It does') },
});

const readinessSchema = z
  .object({ ready: z.boolean(), checks: z.record(z.string(), z.boolean()) })
  .openapi('Readiness');

const ready = createRoute({
  method: 'get',
  path: '/health/ready',
  summary: 'Should it be sent work?',
  responses: {
    200: answers(readinessSchema, 'Yes'),
    503: answers(readinessSchema, 'Not now; the check that is false says why'),
  },
});

export function addHealth(app: App, { core }: AppDeps): void {
  app.openapi(live, c => c.json({ live: true as const }, 200));
  app.openapi(ready, async c => {
    const checks = { ...(await core.readiness()), accepting: !(c.env?.server?.draining() ?? false) };
    const isReady = Object.values(checks).every(Boolean);
    return c.json({ ready: isReady, checks }, isReady ? 200 : 503);
  });
}
