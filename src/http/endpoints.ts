// Endpoints: where the merchant's own systems hear what happened.
import { createRoute, z } from '@hono/zod-openapi';
import type { EndpointChange } from '../notifications/notification.ts';
import type { App, AppDeps } from './appTypes.ts';
import { answers, problem, takes } from './contents.ts';
import { jsonBody } from './jsonBody.ts';
import {
  attemptSchema,
  endpointIdField,
  endpointSchema,
  endpointWithSecretSchema,
  topicsField,
  urlField,
} from './notificationSchemas.ts';
import { strictBody } from './validation.ts';

const params = z.object({ id: endpointIdField });
const noQuery = strictBody({});

const postEndpoint = createRoute({
  method: 'post',
  path: '/v1/endpoints',
  summary: 'Add an endpoint',
  description:
    'Notifications are signed by the Standard Webhooks spec with the secret answered here, and only here: if it is lost, rotate it. The URL must be https on a public address, unless the service was set up otherwise.',
  middleware: jsonBody,
  request: {
    query: noQuery,
    body: takes(strictBody({ url: urlField, topics: topicsField.default(null) }).openapi('EndpointBody')),
  },
  responses: { 201: answers(endpointWithSecretSchema, 'The endpoint and its secret') },
});

const getEndpoints = createRoute({
  method: 'get',
  path: '/v1/endpoints',
  summary: 'List the endpoints',
  request: { query: noQuery },
  responses: { 200: answers(z.object({ endpoints: z.array(endpointSchema) }), 'All of them, oldest first') },
});

const getEndpoint = createRoute({
  method: 'get',
  path: '/v1/endpoints/{id}',
  summary: 'Read an endpoint',
  request: { params, query: noQuery },
  responses: { 200: answers(endpointSchema, 'The endpoint'), 404: problem('not_found') },
});

const patchEndpoint = createRoute({
  method: 'patch',
  path: '/v1/endpoints/{id}',
  summary: 'Change, disable or enable an endpoint',
  description: 'What it missed while it was disabled can be redelivered; nothing is sent for that by itself.',
  middleware: jsonBody,
  request: {
    params,
    query: noQuery,
    body: takes(
      strictBody({
        url: urlField.optional(),
        topics: topicsField.optional(),
        enabled: z.boolean().optional(),
      }).openapi('EndpointChange'),
    ),
  },
  responses: { 200: answers(endpointSchema, 'The endpoint as it is now'), 404: problem('not_found') },
});

const deleteEndpoint = createRoute({
  method: 'delete',
  path: '/v1/endpoints/{id}',
  summary: 'Remove an endpoint',
  description: 'What was sent to it stays readable.',
  request: { params, query: noQuery },
  responses: { 204: { description: 'It is gone' }, 404: problem('not_found') },
});

const postRotate = createRoute({
  method: 'post',
  path: '/v1/endpoints/{id}/rotate',
  summary: 'Give an endpoint a new secret',
  description:
    'For 24 hours messages are signed with the secret before, too, so nothing is lost while the new one is put in place. A second rotation ends the oldest one at once, which is what to do with a secret that leaked.',
  request: { params, query: noQuery },
  responses: {
    200: answers(endpointWithSecretSchema, 'The endpoint and its new secret'),
    400: problem('invalid_request'),
    404: problem('not_found'),
  },
});

const postTest = createRoute({
  method: 'post',
  path: '/v1/endpoints/{id}/test',
  summary: 'Send a paylatch.test now',
  description: 'Also to an endpoint that is disabled. Tried once, and given 5 s.',
  request: { params, query: noQuery },
  responses: {
    200: answers(attemptSchema, 'How that went'),
    400: problem('invalid_request'),
    404: problem('not_found'),
  },
});

export function addEndpoints(app: App, { core }: AppDeps): void {
  const endpoints = () => core.notifications.endpoints;
  app.openapi(postEndpoint, async c => c.json(await endpoints().create(c.req.valid('json')), 201));
  app.openapi(getEndpoints, async c => c.json({ endpoints: await endpoints().list() }, 200));
  app.openapi(getEndpoint, async c => c.json(await endpoints().get(c.req.valid('param').id), 200));
  app.openapi(patchEndpoint, async c => {
    const change: EndpointChange = c.req.valid('json');
    return c.json(await endpoints().change(c.req.valid('param').id, change), 200);
  });
  app.openapi(deleteEndpoint, async c => {
    await endpoints().remove(c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(postRotate, async c => c.json(await endpoints().rotate(c.req.valid('param').id), 200));
  app.openapi(postTest, async c => c.json(await endpoints().test(c.req.valid('param').id), 200));
}
