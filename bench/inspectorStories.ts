// What befalls orders, and how often: a shop's two years, most of it ordinary, and a little of everything that an operator
// looks for. Shares are of all orders.
import type { UnstampedOrderEvent } from '../machines/orderEvents.ts';
import { back, decline, dispute, PLAN, pay, reserve } from './inspectorFacts.ts';
import type { Player } from './inspectorModels.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Charges of a member after the first one. */
const RENEWALS = 5;

export type Story = {
  name: string;
  /** Of a million orders (or events that belong to none), how many live it. */
  perMillion: number;
  /** How long the whole of it takes, in ms: it begins at least so long before now. */
  takesMs: number;
  /** It is not over: it began at most so long ago, in ms. */
  youngerMs?: number;
  /** Nothing was ever granted: then its orders belong to users who have others. */
  shared?: true;
  /** No order comes of it. */
  loose?: true;
  /** The effect that is dead, or still to be done. */
  dead?: string;
  pending?: string;
  live(player: Player): Promise<void>;
};

/** An order of today's that the browser and the provider both tell about. */
async function bought(player: Player): Promise<string> {
  player.at(0);
  const token = await player.open();
  player.at(40 * SECOND_MS);
  await player.tell(token, pay(token), { source: 'callback' });
  player.at(41 * SECOND_MS);
  await player.tell(token, pay(token));
  return token;
}

async function abandoned(player: Player): Promise<string> {
  player.at(0);
  return player.open();
}

const then = (ms: number, event: (token: string) => UnstampedOrderEvent) => async (player: Player) => {
  const token = await bought(player);
  player.at(ms);
  await player.tell(token, event(token));
};

const ordinary: Story[] = [
  {
    name: 'a member, charged every 30 days',
    perMillion: 550_000,
    takesMs: (RENEWALS * 30 + 1) * DAY_MS,
    async live(player) {
      const first = await bought(player);
      for (let month = 1; month <= RENEWALS; month++) {
        player.at(month * 30 * DAY_MS);
        const token = await player.open('renewal');
        player.at(month * 30 * DAY_MS + SECOND_MS);
        const charge = { ...pay(token), subscriptionId: `sub_${first}` } as UnstampedOrderEvent;
        await player.tell(token, charge, { times: month === 2 ? 2 : 1 });
      }
    },
  },
  { name: 'bought once', perMillion: 205_000, takesMs: MINUTE_MS, live: async player => void (await bought(player)) },
  {
    name: 'paid at the second try',
    perMillion: 40_000,
    takesMs: 3 * MINUTE_MS,
    async live(player) {
      const token = await abandoned(player);
      player.at(MINUTE_MS);
      await player.tell(token, decline(token));
      player.at(2 * MINUTE_MS);
      await player.tell(token, pay(token));
      player.at(2 * MINUTE_MS + SECOND_MS);
      await player.tell(token, { ...decline(token), paymentId: `pay_${token}_first` } as UnstampedOrderEvent);
    },
  },
  {
    name: 'never paid',
    perMillion: 100_000,
    takesMs: 40 * MINUTE_MS,
    shared: true,
    async live(player) {
      const token = await abandoned(player);
      player.at(30 * MINUTE_MS + SECOND_MS);
      await player.tell(token, { type: 'payment.canceled', reason: 'nobody paid in time' }, { source: 'reconcile' });
    },
  },
  {
    name: 'declined',
    perMillion: 50_000,
    takesMs: 3 * MINUTE_MS,
    shared: true,
    async live(player) {
      const token = await abandoned(player);
      player.at(MINUTE_MS);
      await player.tell(token, decline(token));
    },
  },
  {
    name: 'a trial',
    perMillion: 20_000,
    takesMs: MINUTE_MS,
    async live(player) {
      player.at(0);
      const token = await player.open('trial');
      player.at(SECOND_MS);
      await player.tell(token, { type: 'retry.requested', reason: 'it waits for its grant' }, { source: 'sweeper' });
    },
  },
  {
    name: 'refunded',
    perMillion: 25_000,
    takesMs: 4 * DAY_MS,
    live: then(3 * DAY_MS, token => back(token, PLAN.amountMinor)),
  },
  {
    name: 'refunded in part',
    perMillion: 4_000,
    takesMs: 4 * DAY_MS,
    live: then(3 * DAY_MS, token => back(token, 10_000)),
  },
  {
    name: 'paid twice',
    perMillion: 3_000,
    takesMs: MINUTE_MS * 5,
    live: then(3 * MINUTE_MS, token => ({ ...pay(token), paymentId: `pay_${token}_twice` }) as UnstampedOrderEvent),
  },
  {
    name: 'disputed and lost',
    perMillion: 1_500,
    takesMs: 30 * DAY_MS,
    async live(player) {
      const token = await bought(player);
      player.at(5 * DAY_MS);
      await player.tell(token, dispute(token, 'opened'));
      player.at(29 * DAY_MS);
      await player.tell(token, dispute(token, 'lost'));
    },
  },
];

const open: Story[] = [
  {
    name: 'waits to be paid',
    perMillion: 200,
    takesMs: 0,
    youngerMs: 25 * MINUTE_MS,
    shared: true,
    live: async player => void (await abandoned(player)),
  },
  {
    name: 'overdue',
    perMillion: 300,
    takesMs: 40 * MINUTE_MS,
    youngerMs: 3 * DAY_MS,
    shared: true,
    live: async player => void (await abandoned(player)),
  },
  {
    name: 'reserved',
    perMillion: 500,
    takesMs: MINUTE_MS,
    youngerMs: DAY_MS * 0.9,
    async live(player) {
      const token = await abandoned(player);
      player.at(40 * SECOND_MS);
      await player.tell(token, reserve(token));
    },
  },
  {
    name: 'paid the wrong amount',
    perMillion: 500,
    takesMs: MINUTE_MS,
    shared: true,
    async live(player) {
      const token = await abandoned(player);
      player.at(40 * SECOND_MS);
      await player.tell(token, pay(token, 10_000));
    },
  },
  {
    name: 'paid, and the grant failed',
    perMillion: 40,
    takesMs: MINUTE_MS,
    shared: true,
    async live(player) {
      const token = await abandoned(player);
      await player.change('alter table grants add constraint nobody check (seq < 0) not valid', []);
      player.at(40 * SECOND_MS);
      await player.tell(token, pay(token));
      await player.change('alter table grants drop constraint nobody', []);
    },
  },
  {
    name: 'the merchant was never told',
    perMillion: 400,
    takesMs: MINUTE_MS,
    dead: 'notify',
    live: async player => void (await bought(player)),
  },
  {
    name: 'the merchant is being told',
    perMillion: 100,
    takesMs: MINUTE_MS,
    youngerMs: 10 * MINUTE_MS,
    pending: 'notify',
    live: async player => void (await bought(player)),
  },
  {
    name: 'on a chart that is gone',
    perMillion: 40,
    takesMs: MINUTE_MS,
    shared: true,
    async live(player) {
      const token = await abandoned(player);
      await player.change(`update orders set machine = 'order.v0' where id = $1`, [`ord_${token}00`]);
      player.at(40 * SECOND_MS);
      await player.tell(token, pay(token));
    },
  },
  // More than the tallies hold when somebody looks: the overview counts them itself.
  {
    name: 'bought this minute',
    perMillion: 500,
    takesMs: 42 * SECOND_MS,
    youngerMs: 95 * SECOND_MS,
    live: async player => void (await bought(player)),
  },
  {
    name: 'a cancellation that came too late',
    perMillion: 500,
    takesMs: DAY_MS * 2,
    async live(player) {
      const token = await bought(player);
      player.at(DAY_MS);
      await player.tell(token, { type: 'cancel.requested', reason: 'changed their mind' });
    },
  },
];

const loose: Story[] = [
  {
    name: 'unmatched',
    perMillion: 300,
    takesMs: 0,
    youngerMs: 3 * DAY_MS,
    loose: true,
    live: async player => void (await player.tellNobody()),
  },
  {
    name: 'foreign',
    perMillion: 30_000,
    takesMs: 0,
    loose: true,
    async live(player) {
      const token = await player.tellNobody();
      await player.change(`update inbox set verdict = 'foreign', next_attempt_at = null where event_key = $1`, [
        `evt_${token}_0`,
      ]);
    },
  },
  {
    name: 'ignored',
    perMillion: 150_000,
    takesMs: 0,
    loose: true,
    live: async player => void (await player.tellNobody('ignored')),
  },
];

export const STORIES: readonly Story[] = [...ordinary, ...open, ...loose];
