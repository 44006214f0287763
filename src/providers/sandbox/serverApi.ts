// The sandbox's API for the service and for tests: orders, payments, refunds, and the stories of serverScenarios.ts.
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { amountMinorSchema } from '../../../machines/orderEvents.ts';
import { checkHexHmac, hexHmac } from '../signatures.ts';
import { sandboxApiKey } from './keys.ts';
import { type SandboxContext, SandboxRefusal } from './serverContext.ts';
import type { SandboxDeliveries } from './serverDeliveries.ts';
import { closeOrder, findOrder, newOrderSchema, openOrder, showOrder, showPayment } from './serverOrders.ts';
import { capturePayment, findPayment, refundPayment, voidPayment } from './serverPayments.ts';
import { MONEY_SCENARIOS, PAY_SCENARIOS, runMoneyScenario, runPayScenario, signCallback } from './serverScenarios.ts';
import { webhookApi } from './serverWebhookApi.ts';

/** Largest body, in bytes: an order with the longest of everything has 4 KiB. */
const MAX_BODY_BYTES = 16 * 1_024;
/** Payments per page at most, and when the caller does not say. */
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
/** How long a "webhook first" story waits for its webhook's answer, in milliseconds; then the customer goes on anyway. */
export const WEBHOOK_FIRST_WAIT_MS = 10_000;

const refundBodySchema = z.object({ amountMinor: amountMinorSchema.optional() });
const listQuerySchema = z.object({
  since: z.iso.datetime({ offset: true }).optional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
});

/** The routes under `/api`. Every one of them needs the key that is derived from the secret. */
export function sandboxApi(context: SandboxContext, deliveries: SandboxDeliveries): Hono {
  const api = new Hono();
  api.use('*', async (c, next) => {
    requireKey(context.secret, c.req.header('authorization'));
    await next();
  });
  api.use('*', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLargeBody }));
  addOrderRoutes(api, context);
  addPaymentRoutes(api, context);
  addScenarioRoutes(api, context, deliveries);
  api.route('/webhooks', webhookApi(context, deliveries));
  return api;
}

function addOrderRoutes(api: Hono, context: SandboxContext): void {
  api.post('/orders', async c => {
    const request = parse(newOrderSchema, await readJson(c.req));
    if (c.req.header('idempotency-key') !== request.orderId) {
      throw new SandboxRefusal(400, 'invalid_request', 'The Idempotency-Key header must be the order id.');
    }
    const { order, created } = openOrder(context, request);
    return c.json(showOrder(context, order), created ? 201 : 200);
  });
  api.get('/orders', c => {
    const order = context.store.byOrderId(c.req.query('orderId') ?? '');
    return c.json({ orders: order === undefined ? [] : [showOrder(context, order)] });
  });
  api.get('/orders/:id', c => c.json(showOrder(context, findOrder(context, c.req.param('id')))));
  api.post('/orders/:id/close', c => {
    const order = findOrder(context, c.req.param('id'));
    closeOrder(context, order);
    return c.json(showOrder(context, order));
  });
}

function addPaymentRoutes(api: Hono, context: SandboxContext): void {
  api.get('/payments', c => c.json(listPayments(context, parse(listQuerySchema, c.req.query()))));
  api.get('/payments/:id', c => {
    const { order, payment } = findPayment(context, c.req.param('id'));
    return c.json(showPayment(order, payment));
  });
  api.post('/payments/:id/capture', c => {
    const found = findPayment(context, c.req.param('id'));
    capturePayment(context, found);
    return c.json(showPayment(found.order, found.payment));
  });
  api.post('/payments/:id/void', c => {
    const found = findPayment(context, c.req.param('id'));
    voidPayment(context, found);
    return c.json(showPayment(found.order, found.payment));
  });
  api.post('/payments/:id/refunds', async c => {
    const key = c.req.header('idempotency-key');
    if (!key) throw new SandboxRefusal(400, 'invalid_request', 'A refund needs an Idempotency-Key header.');
    const { amountMinor } = parse(refundBodySchema, await readJson(c.req, {}));
    const found = findPayment(context, c.req.param('id'));
    const { refundId, state, ...refund } = refundPayment(context, found, { amountMinor, key, state: 'completed' });
    const payment = showPayment(found.order, found.payment);
    return c.json({ refundId, state, amountMinor: refund.amountMinor, occurredAt: refund.at, payment });
  });
}

function addScenarioRoutes(api: Hono, context: SandboxContext, deliveries: SandboxDeliveries): void {
  api.get('/scenarios', c => c.json({ paying: [...PAY_SCENARIOS.keys()], money: MONEY_SCENARIOS }));
  api.post('/orders/:id/scenarios/:name', async c => {
    const order = findOrder(context, c.req.param('id'));
    const name = c.req.param('name');
    const scenario = PAY_SCENARIOS.get(name);
    // A closed order still takes these: the payment that was on its way when it was closed is a story worth testing.
    const run =
      scenario === undefined
        ? runMoneyScenario(context, order, name)
        : runPayScenario(context, order, name, c.req.header('idempotency-key') ?? null);
    if (scenario?.webhookFirst) {
      await Promise.all(run.webhooks.map(webhook => deliveries.answered(webhook, WEBHOOK_FIRST_WAIT_MS)));
    }
    return c.json({
      payments: run.payments.map(payment => showPayment(order, payment)),
      webhookIds: run.webhooks.map(webhook => webhook.webhookId),
      callback: signCallback(context, order, run),
    });
  });
}

/** Oldest change first. A payment that changes while its list is being paged moves to the end and is seen again. */
function listPayments(context: SandboxContext, query: z.infer<typeof listQuerySchema>) {
  const since = query.since === undefined ? '' : new Date(query.since).toISOString();
  const after = Number(query.cursor ?? 0);
  const found = [...context.store.all()]
    .flatMap(order => order.payments.map(payment => ({ order, payment })))
    .filter(({ payment }) => payment.changedAt >= since && payment.sequence > after)
    .sort((left, right) => left.payment.sequence - right.payment.sequence);
  const page = found.slice(0, query.limit);
  const last = page.at(-1)?.payment.sequence;
  return {
    payments: page.map(({ order, payment }) => showPayment(order, payment)),
    nextCursor: found.length > page.length && last !== undefined ? String(last) : null,
  };
}

/** Compares digests of what was given, so that the time taken tells nothing about the key. */
function requireKey(secret: Uint8Array, authorization: string | undefined): void {
  const expected = `Bearer ${sandboxApiKey(secret)}`;
  try {
    checkHexHmac(secret, expected, hexHmac(secret, authorization ?? ''));
  } catch {
    throw new SandboxRefusal(401, 'unauthorized', 'The Authorization header must carry the key of this sandbox.');
  }
}

function refuseLargeBody(): never {
  throw new SandboxRefusal(413, 'body_too_large', `The body may hold at most ${MAX_BODY_BYTES} bytes.`);
}

async function readJson(request: { text(): Promise<string> }, whenEmpty?: unknown): Promise<unknown> {
  const text = await request.text();
  if (text === '' && whenEmpty !== undefined) return whenEmpty;
  try {
    return JSON.parse(text);
  } catch {
    throw new SandboxRefusal(400, 'invalid_request', 'The body is not JSON.');
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || 'body';
  throw new SandboxRefusal(400, 'invalid_request', `${field}: ${issue?.message ?? 'is wrong'}.`);
}
