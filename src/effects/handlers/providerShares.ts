// What one provider may hold of the lanes that all of them share, so that the outage of one delays nothing at another.
import type { Lane } from '../../../db/outbox.ts';
import type { EffectName } from '../../../machines/orderSetup.ts';
import type { Clock } from '../../clock.ts';
import { LANE_WIDTH, laneOf } from '../policies.ts';
import { createShares, type Place } from '../shares.ts';

/** Effects of one lane under way at one provider, in each process: most of the lane, and always places left for another. */
const SHARE_OF_LANE: Partial<Record<Lane, number>> = { provider: 5, closing: 3, question: 3 };

/** A place for one effect at this provider, or when to ask again. */
export type ProviderShares = (effect: EffectName, provider: string) => Promise<Place>;

/** Where there is one provider alone it may have all of each lane. */
export function createProviderShares(providers: ReadonlyMap<string, unknown>, clock: Clock): ProviderShares {
  const shares = createShares(clock);
  return (effect, provider) => {
    const lane = laneOf(effect);
    const share = providers.size > 1 ? SHARE_OF_LANE[lane] : undefined;
    return shares.take(`${lane} ${provider}`, share ?? LANE_WIDTH[lane]);
  };
}
