// The process of one replica: src/main.ts as it is, with its wall clock hurried. The one time the wall clock does not rule
// are leases, which count on the database's clock; so they are shortened here, where the process begins.
import { EFFECT_POLICIES } from '../../src/effects/policies.ts';
import { type FastTime, fastMs } from './fastClock.ts';

export type Hurry = { time: FastTime; leaseMs: number };

const { time: first, leaseMs }: Hurry = JSON.parse(process.env.HURRY ?? '');
let time = first;
const RealDate = Date;
const now = () => fastMs(time, RealDate.now());

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) => Reflect.construct(target, args.length === 0 ? [now()] : args),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
for (const policy of new Set(Object.values(EFFECT_POLICIES))) Object.assign(policy, { leaseMs });

process.on('message', (set: FastTime) => {
  time = set;
});
// Nothing is left running when whoever started this is gone.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.channel?.unref();

await import('../../src/main.ts');
