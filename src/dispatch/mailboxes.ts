// The queue of dispatch: one mailbox for each order, so that no order is in two lanes at a time, and a line of the mailboxes
// that are ready, by when their first event came. Without it, callback and webhook of an order would meet in the database,
// and one of them would be decided twice.
import type { Item } from './envelope.ts';

/**
 * How many provider order ids are remembered with our own id, so that both names of an order lead to one mailbox. The oldest is
 * forgotten first; then two events of its order may meet in the database, where one of them is decided again.
 */
const ALIASES_KEPT = 20_000;

export type Mailboxes = {
  /** Events that wait, without those in a lane. */
  readonly waiting: number;
  readonly ready: boolean;
  put(item: Item): void;
  /** Up to `limit` events of mailboxes that no lane holds; their mailboxes are held until released. */
  take(limit: number): Item[];
  /** Gives the mailboxes of these events back. */
  release(items: readonly Item[]): void;
  /** Learns that a provider's order is this order of ours. */
  alias(item: Item, orderId: string): void;
};

type Box = { items: Item[]; held: boolean };

export function createMailboxes(): Mailboxes {
  const boxes = new Map<string, Box>();
  const ready: string[] = [];
  const aliases = new Map<string, string>();
  const held = new Map<Item, string>();
  let waiting = 0;
  let nameless = 0;

  function nameOf({ envelope }: Item): string {
    if (envelope.orderId) return envelope.orderId;
    if (!envelope.providerOrderId) return `nameless:${nameless++}`;
    const name = `${envelope.provider}:${envelope.providerOrderId}`;
    return aliases.get(name) ?? name;
  }

  return {
    get waiting() {
      return waiting;
    },
    get ready() {
      return ready.length > 0;
    },
    put(item) {
      const name = nameOf(item);
      const box = boxes.get(name);
      waiting += 1;
      if (box) {
        box.items.push(item);
        if (!box.held && box.items.length === 1) ready.push(name);
        return;
      }
      boxes.set(name, { items: [item], held: false });
      ready.push(name);
    },
    take(limit) {
      const taken: Item[] = [];
      while (taken.length < limit && ready.length > 0) {
        const name = ready.shift() as string;
        const box = boxes.get(name);
        if (!box) continue;
        const some = box.items.splice(0, limit - taken.length);
        box.held = true;
        for (const item of some) {
          taken.push(item);
          held.set(item, name);
        }
      }
      waiting -= taken.length;
      return taken;
    },
    release(items) {
      for (const item of items) {
        const name = held.get(item);
        held.delete(item);
        const box = name === undefined ? undefined : boxes.get(name);
        if (!name || !box?.held) continue;
        box.held = false;
        if (box.items.length > 0) ready.push(name);
        else boxes.delete(name);
      }
    },
    alias(item, orderId) {
      const { provider, providerOrderId } = item.envelope;
      if (!providerOrderId || item.envelope.orderId) return;
      aliases.set(`${provider}:${providerOrderId}`, orderId);
      if (aliases.size > ALIASES_KEPT) aliases.delete(aliases.keys().next().value as string);
    },
  };
}
