// What the worker runs towards providers, by the name of the effect. Merchants and operators are told elsewhere.
import type { EffectHandlers } from '../effect.ts';
import { capture } from './capture.ts';
import { close } from './close.ts';
import { open } from './open.ts';
import { createProviderShares } from './providerShares.ts';
import { reconcile } from './reconcile.ts';
import { refund } from './refund.ts';
import type { HandlerDeps } from './subject.ts';
import { voidPayment } from './voidPayment.ts';

export type ProviderHandlers = Omit<EffectHandlers, 'notify' | 'alert'>;

/** The six effects that talk to a provider. None of them holds anything in the database while it does. */
export function providerHandlers(given: HandlerDeps): ProviderHandlers {
  const deps = { shares: createProviderShares(given.providers, given.clock), ...given };
  return {
    open: open(deps),
    close: close(deps),
    capture: capture(deps),
    void: voidPayment(deps),
    refund: refund(deps),
    reconcile: reconcile(deps),
  };
}
