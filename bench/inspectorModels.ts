// Orders as they really become, each story lived once through dispatch: they are the models that the inspector's bench
// copies. All of them begin at the same instant, so that a copy only has to move the time and the names.
import { type Database, openDatabase } from '../db/client.ts';
import { insertOrder } from '../db/insertOrder.ts';
import { decideCreation } from '../machines/decide.ts';
import type { OrderCreated, OrderKind, PlanTerms, UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { noSubscription } from '../machines/subscription.ts';
import { CURRENT_MACHINE_ID } from '../machines/versions.ts';
import { systemRandom } from '../src/clock.ts';
import type { Envelope, Source } from '../src/dispatch/envelope.ts';
import { createDispatch, type Dispatch } from '../src/dispatch.ts';
import type { NewId } from '../src/ids.ts';
import { silentLog } from './benchDatabase.ts';
import { PLAN } from './inspectorFacts.ts';
import { STORIES, type Story } from './inspectorStories.ts';
import { sha256 } from './seed.ts';

/** When every model begins. */
export const MODELS_AT = Date.parse('2026-01-01T00:00:00.000Z');
export const PROVIDERS = ['sandbox', 'stripe', 'razorpay'] as const;
/** Of an id, what differs from order to order; two more characters number what belongs to one order. */
export const TOKEN_LENGTH = 24;
const TRIAL: PlanTerms = { ...PLAN, id: 'pro-trial', amountMinor: 0 };

/**
 * A story as one provider's orders lived it. `tokens` name its orders, or the one event that belongs to none; `starts` say
 * when each began, in ms after the first.
 */
export type Model = { id: number; story: Story; provider: string; user: string; tokens: string[]; starts: number[] };

export type Player = {
  /** Moves the clock to so long after the beginning. */
  at(ms: number): void;
  /** Checks out; answers what the order's names are made of. */
  open(kind?: OrderKind): Promise<string>;
  /** Tells the order an event; `times` deliveries of it. */
  tell(token: string, event: UnstampedOrderEvent, more?: { source?: Source; times?: number }): Promise<void>;
  /** An event about an order that nobody knows, or of a type that nothing uses. */
  tellNobody(because?: 'ignored'): Promise<string>;
  /** For what cannot be lived through here: another process, another version, another time. */
  change(text: string, params: string[]): Promise<void>;
};

/** Lives every story once for each provider. */
export async function makeModels(url: string): Promise<Model[]> {
  const db = openDatabase({ url, connections: 2, applicationName: 'paylatch-bench' });
  const scene = { now: new Date(MODELS_AT), token: '', effects: 0 };
  const clock = () => scene.now;
  const newId: NewId = prefix => `${prefix}_${scene.token}${String(++scene.effects).padStart(2, '0')}`;
  const { dispatch, close } = createDispatch({ db, clock, random: systemRandom, newId, log: silentLog() });
  const models: Model[] = [];
  try {
    for (const story of STORIES) {
      for (const provider of PROVIDERS) {
        const id = models.length;
        const model: Model = { id, story, provider, user: `${marked('u', id)}`, tokens: [], starts: [] };
        await story.live(playerOf({ db, dispatch, scene, model }));
        await settle(db, model);
        models.push(model);
      }
    }
  } finally {
    await close();
    await db.close();
  }
  return models;
}

/** A name that occurs nowhere by chance. */
const marked = (letter: string, model: number, order = 0) =>
  `zz${letter}${String(model).padStart(3, '0')}${String(order).padStart(2, '0')}`.padEnd(TOKEN_LENGTH, 'q');

type Scene = { now: Date; token: string; effects: number };
type PlayerDeps = { db: Database; dispatch: Dispatch; scene: Scene; model: Model };

function playerOf({ db, dispatch, scene, model }: PlayerDeps): Player {
  const { provider, tokens } = model;
  const begin = (): string => {
    scene.token = marked('o', model.id, tokens.length);
    scene.effects = 0;
    tokens.push(scene.token);
    model.starts.push(scene.now.getTime() - MODELS_AT);
    return scene.token;
  };
  let told = 0;
  const send = async (token: string, event: UnstampedOrderEvent, more: Partial<Envelope> = {}) => {
    const eventKey = `evt_${token}_${told++}`;
    const raw = Buffer.from(JSON.stringify({ id: eventKey, type: event.type, data: event }));
    const headers = { 'content-type': 'application/json', 'user-agent': provider, 'webhook-id': eventKey };
    const received = { eventType: event.type, raw, bodyHash: sha256(raw), headers };
    const address = { orderId: null, provider, providerOrderId: `sbo_${token}` };
    const envelope: Envelope = { source: 'webhook', eventKey, event, received, ...address, ...more };
    await dispatch(envelope);
    return envelope;
  };
  const operated = (token: string) => ({
    orderId: `ord_${token}00`,
    provider: null,
    providerOrderId: null,
    received: null,
  });
  return {
    at(ms) {
      scene.now = new Date(MODELS_AT + ms);
    },
    async open(kind = 'purchase') {
      const token = begin();
      await create(db, { model, token, kind, at: scene.now.toISOString() });
      if (kind !== 'purchase') return token;
      const url = `http://127.0.0.1:3001/pay/sbo_${token}`;
      const opened = { type: 'checkout.opened', providerOrderId: `sbo_${token}`, url } as const;
      await send(token, opened, { ...operated(token), source: 'checkout' });
      return token;
    },
    async tell(token, event, { source = 'webhook', times = 1 } = {}) {
      const byOrder = source === 'webhook' || source === 'callback' ? {} : operated(token);
      // A renewal was never opened by us: it is known by its own id.
      const isRenewal = tokens.indexOf(token) > 0 && { orderId: `ord_${token}00` };
      const stamped =
        source === 'webhook' ? { ...event, occurredAt: new Date(scene.now.getTime() - 900).toISOString() } : event;
      const envelope = await send(token, stamped, { source, ...isRenewal, ...byOrder });
      for (let again = 1; again < times; again++) await dispatch(envelope);
    },
    async tellNobody(because) {
      const token = begin();
      const type = because ? 'settlement.processed' : 'payment.captured';
      const { amountMinor, currency } = PLAN;
      const event = { type: 'payment.captured', paymentId: `pay_${token}`, amountMinor, currency } as const;
      const raw = Buffer.from(JSON.stringify({ type, data: event }));
      const received = { eventType: type, raw, bodyHash: sha256(raw), headers: { 'webhook-id': `evt_${token}_0` } };
      await send(token, event, { received, ...(because && { because, event: null }) });
      return token;
    },
    change: async (text, params) => void (await db.query(text, params)),
  };
}

async function create(
  db: Database,
  order: { model: Model; token: string; kind: OrderKind; at: string },
): Promise<void> {
  const { model, token, kind, at } = order;
  const isFree = kind === 'trial';
  const plan = isFree ? TRIAL : PLAN;
  const provider = isFree ? null : model.provider;
  const userId = `user_${model.user}`;
  const { amountMinor, currency } = plan;
  const about = { kind, userId, plan, provider, account: provider, live: true, amountMinor, currency };
  const created: OrderCreated = { type: 'order.created', at, ...about };
  const id = `ord_${token}00`;
  const { steps } = decideCreation(id, created, noSubscription(userId, plan.product));
  const [first] = steps;
  if (!first) throw new Error('an order begins with a step');
  const eventKey = `key_${token}`;
  const row = {
    id,
    ...about,
    providerAccount: provider,
    product: plan.product,
    planId: plan.id,
    machine: CURRENT_MACHINE_ID,
  };
  const place = { state: first.to, snapshot: first.snapshot, wakeAt: first.wakeAt, event: first.event, at };
  const origin = {
    another: kind === 'purchase',
    returnUrl: null,
    metadata: { cart: `cart_${token}` },
    source: 'checkout',
    eventKey,
  };
  if (!(await insertOrder(db, { ...row, ...place, ...origin }))) throw new Error('the order was not inserted');
  const key =
    'insert into idempotency_keys (key, request_hash, order_id, created_at) values ($1, $2, $3, $4::text::timestamptz)';
  if (kind === 'purchase') await db.query(key, [eventKey, sha256(Buffer.from(eventKey)), id, at]);
}

/** What the worker and the clock of the database would have written, at the models' own time. */
async function settle(db: Database, { tokens, story }: Model): Promise<void> {
  for (const token of tokens) {
    const id = `ord_${token}00`;
    await db.query(
      `update orders o set created_at = (select t.at from transitions t where t.order_id = o.id and t.version = 1),
         updated_at = (select t.at from transitions t where t.order_id = o.id and t.version = o.version) where o.id = $1`,
      [id],
    );
    await db.query(
      `update outbox x set leased_by = null, leased_until = null, available_at = t.at,
         status = case when $2::text = x.effect then 'dead' when $3::text = x.effect then 'pending' else 'done' end,
         attempts = case when $2::text = x.effect then 12 when $3::text = x.effect then 0 else 1 end,
         last_error = case when $2::text = x.effect then 'the endpoint answered 500' end,
         done_at = case when x.effect = coalesce($2::text, '') or x.effect = coalesce($3::text, '') then null else t.at + interval '2 s' end
       from transitions t where x.order_id = $1 and t.order_id = x.order_id and t.version = x.order_version`,
      [id, story.dead ?? null, story.pending ?? null],
    );
    await db.query(
      `insert into notification_attempts (id, notification_id, endpoint_id, trigger, at, status, ms)
       select 'att' || substr(id, 4), id, 'ept_merchant', 'scheduled', available_at, 200, 120 from outbox where order_id = $1 and effect = 'notify'`,
      [id],
    );
  }
}
