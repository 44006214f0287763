// The effects of a service of the tests, carried out towards its provider: by the worker until nothing is due, or one
// handler at a time, as a worker would that was killed before it could write down how it ended.
import { pino } from 'pino';
import { systemRandom } from '../../src/clock.ts';
import type { EffectEnd, EffectHandlers, LeasedEffect } from '../../src/effects/effect.ts';
import { providerHandlers } from '../../src/effects/handlers/providerHandlers.ts';
import type { EndedEffect } from '../../src/effects/runEffect.ts';
import { workOff } from '../../src/effects/worker.ts';
import type { PaymentProvider } from '../../src/providers/provider.ts';
import type { Json } from './httpService.ts';
import type { ProviderService } from './providerService.ts';

export type EffectRow = {
  effect: string;
  status: string;
  attempts: number;
  lastError: string | null;
  dedupKey: string;
};

export type EffectRig = {
  handlers: EffectHandlers;
  /** Works off what is due at the service's clock. */
  workOff(): Promise<EndedEffect[]>;
  /** The only effect of this name that waits, as a worker would lease it. */
  leased(orderId: string, effect: string, more?: Partial<LeasedEffect>): Promise<LeasedEffect>;
  /** Its handler, called once, and nothing written down about it. */
  run(orderId: string, effect: string, more?: Partial<LeasedEffect>): Promise<EffectEnd>;
  /** The effects of this name as the timeline shows them. */
  rows(orderId: string, effect: string): Promise<EffectRow[]>;
  /** Told by an operator, as the API takes it. */
  tell(orderId: string, event: Record<string, unknown>): Promise<Json>;
  forward(ms: number): void;
};

let workers = 0;

export function effectRig(
  service: Pick<ProviderService, 'world' | 'core' | 'provider' | 'call' | 'timeline'>,
  providers: ReadonlyMap<string, PaymentProvider> = new Map([[service.provider.name, service.provider]]),
): EffectRig {
  const { world, core } = service;
  const { db, clock, newId, sql } = world;
  const log = pino({ level: 'silent' });
  const nobodyToTell = async (): Promise<EffectEnd> => ({ end: 'done', note: 'nobody to tell' });
  const handlers: EffectHandlers = {
    ...providerHandlers({ db, providers, dispatch: core.dispatch, clock, log }),
    notify: nobodyToTell,
    alert: nobodyToTell,
  };

  async function leased(orderId: string, effect: string, more: Partial<LeasedEffect> = {}): Promise<LeasedEffect> {
    const rows =
      await sql`select * from outbox where order_id = ${orderId} and effect = ${effect} and status = 'pending'`;
    const [row] = rows;
    if (!row || rows.length > 1) throw new Error(`${rows.length} effects ${effect} of ${orderId} wait`);
    return {
      id: row.id,
      orderId: row.order_id,
      orderVersion: row.order_version,
      effect: row.effect,
      payload: row.payload,
      dedupKey: row.dedup_key,
      attempt: 1,
      maybeSent: false,
      availableAt: row.available_at,
      ...more,
    };
  }

  return {
    handlers,
    workOff: () =>
      workOff({ db, handlers, clock, random: systemRandom, newId, log, workerId: `rig-${process.pid}-${++workers}` }),
    leased,
    async run(orderId, effect, more) {
      const one = await leased(orderId, effect, more);
      return handlers[one.effect](one);
    },
    rows: async (orderId, effect) =>
      (await service.timeline(orderId)).effects.filter((row: EffectRow) => row.effect === effect),
    async tell(orderId, event) {
      const headers = { 'idempotency-key': newId('req') };
      const { status, body } = await service.call('POST', `/v1/orders/${orderId}/events`, event, headers);
      if (status !== 200) throw new Error(`${event.type} was answered ${status} ${JSON.stringify(body)}`);
      return body;
    },
    forward: ms => clock.set(new Date(clock().getTime() + ms).toISOString()),
  };
}
