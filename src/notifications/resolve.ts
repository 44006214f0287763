// Looking up the names of endpoints. The system does that on a few threads which all of the process shares, and a name
// whose servers are silent keeps its thread for many seconds: so a name is asked for once at a time, and one thread is
// always left for the names of providers.
import { lookup } from 'node:dns/promises';
import type { Resolve } from './address.ts';

/** Look-ups under way at once: one less than the four threads Node has, because money goes before messages. */
const LOOKUPS_AT_ONCE = 3;

const systemLookup: Resolve = async host => (await lookup(host, { all: true })).map(({ address }) => address);

/** Who asks for a name that is being looked up already gets the same answer; whoever exceeds `atOnce` waits. Nothing is kept. */
export function createResolve(look: Resolve = systemLookup, atOnce = LOOKUPS_AT_ONCE): Resolve {
  const underWay = new Map<string, Promise<string[]>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn(host: string): Promise<string[]> {
    if (running >= atOnce) await new Promise<void>(go => waiting.push(go));
    else running += 1;
    try {
      return await look(host);
    } finally {
      underWay.delete(host);
      const next = waiting.shift();
      // Its place goes to the next one, so that nobody new can slip in between.
      if (next) next();
      else running -= 1;
    }
  }

  return host => {
    const asked = underWay.get(host);
    if (asked) return asked;
    const answer = inTurn(host);
    underWay.set(host, answer);
    return answer;
  };
}
