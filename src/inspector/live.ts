// Tells open pages that something changed, by server-sent events. One look at the database serves all listeners, and only
// while there are any; a beat says that the look worked, so that a page that hears none knows that it is not live.
import type { Context } from 'hono';
import { orderMarks, serviceMark } from '../../db/inspect/liveMarks.ts';
import { InvalidRequest, Overloaded } from '../errors.ts';
import type { ServerState } from '../http/appTypes.ts';
import type { InspectorApp, InspectorDeps, InspectorEnv } from './page.ts';

/** Between two looks at the database, in ms: what other processes commit shows that soon. */
const LOOK_MS = 1_000;
/** Between two beats, in ms. The script counts a page as not live after two and a half of them (client/live.js). */
const BEAT_MS = 4_000;
/** A page looks at least that often, in ms: what no mark tells, such as another order's grant, shows by then. */
export const FULL_LOOK_MS = 10_000;
/** Listeners in all: each costs a connection and a share of a look. */
const MAX_LISTENERS = 100;
/** Listeners of one session: browsers open six connections to one host, and pages need some of them. */
const MAX_PER_SESSION = 4;
/** Messages a browser may leave unread before it is let go: a minute of them. */
const MAX_UNREAD = 64;
/** Before a browser comes back to a stream that ended, in ms. */
const RETRY_MS = 3_000;
/** Seconds after which a browser that was turned away may ask again. */
const RETRY_AFTER_S = 30;

type Listener = {
  order: string | null;
  session: string;
  endsAt: Date;
  server: ServerState | undefined;
  stream: ReadableStreamDefaultController<Uint8Array>;
  /** Null until the first look. */
  mark: string | null;
  lookedAt: number;
  beatAt: number;
};

export type Live = { close(): void };

/** Adds `GET /live`, for the whole service or `?order=` one order. */
export function addLive(app: InspectorApp, deps: Pick<InspectorDeps, 'db' | 'clock' | 'log'>): Live {
  const hub = new LiveHub(deps);
  app.get('/live', c => hub.listen(c));
  return hub;
}

const bytes = (text: string) => new TextEncoder().encode(text);

class LiveHub implements Live {
  readonly #deps: Pick<InspectorDeps, 'db' | 'clock' | 'log'>;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;
  #sees = true;

  constructor(deps: Pick<InspectorDeps, 'db' | 'clock' | 'log'>) {
    this.#deps = deps;
  }

  /** @throws InvalidRequest, Overloaded */
  listen(c: Context<InspectorEnv>): Response {
    const order = c.req.query('order') ?? null;
    if (order !== null && !/^ord_[0-9a-z]{26}$/.test(order))
      throw new InvalidRequest('That is not the id of an order.');
    const session = c.var.viewer.csrf;
    const server = c.env?.server;
    if (this.#isClosed || server?.draining()) throw new Overloaded('The service is stopping.');
    const ofSession = [...this.#listeners].filter(one => one.session === session).length;
    if (this.#listeners.size >= MAX_LISTENERS || ofSession >= MAX_PER_SESSION) {
      return c.text('Too many pages listen. This one asks by itself from time to time.', 429, {
        'retry-after': String(RETRY_AFTER_S),
      });
    }
    let listener: Listener | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start: stream => {
          const about = { order, session, endsAt: c.var.sessionEndsAt, server, stream };
          listener = { ...about, mark: null, lookedAt: performance.now(), beatAt: Number.NEGATIVE_INFINITY };
          stream.enqueue(bytes(`retry: ${RETRY_MS}\n\n`));
          this.#listeners.add(listener);
          this.#plan(0);
        },
        cancel: () => void (listener && this.#listeners.delete(listener)),
      },
      { highWaterMark: MAX_UNREAD },
    );
    return c.body(body, 200, {
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies that gather answers before they pass them on would make a stream of nothing.
      'x-accel-buffering': 'no',
      // Kept for another request, the connection would hold up a service that stops.
      connection: 'close',
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const listener of [...this.#listeners]) this.#end(listener);
  }

  #plan(ms: number): void {
    if (this.#timer || this.#listeners.size === 0) return;
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => {
        this.#timer = null;
        this.#plan(LOOK_MS);
      });
    }, ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    for (const listener of this.#listeners) if (this.#isOver(listener)) this.#end(listener);
    const asked = [...this.#listeners];
    try {
      const marks = await this.#marks(asked);
      if (!this.#sees) this.#deps.log.info('the inspector follows what happens again');
      this.#sees = true;
      for (const listener of asked) this.#tell(listener, marks(listener.order));
    } catch (error) {
      // Nothing is told: without a beat pages know that they are not live.
      if (this.#sees) this.#deps.log.warn({ err: error }, 'the inspector cannot follow what happens');
      this.#sees = false;
    }
  }

  async #marks(asked: Listener[]): Promise<(order: string | null) => string> {
    const ids = [...new Set(asked.flatMap(({ order }) => (order === null ? [] : [order])))];
    const [service, orders] = await Promise.all([
      asked.some(({ order }) => order === null) ? serviceMark(this.#deps.db) : '',
      ids.length > 0 ? orderMarks(this.#deps.db, ids) : new Map<string, string>(),
    ]);
    return order => (order === null ? service : (orders.get(order) ?? ''));
  }

  /** A listener's first look is told as a change too: what happened between its page and its listening is in neither. */
  #tell(listener: Listener, mark: string): void {
    const now = performance.now();
    if (mark !== listener.mark || now - listener.lookedAt >= FULL_LOOK_MS) {
      listener.mark = mark;
      listener.lookedAt = now;
      listener.beatAt = now;
      this.#send(listener, 'changed');
    } else if (now - listener.beatAt >= BEAT_MS) {
      listener.beatAt = now;
      this.#send(listener, 'beat');
    }
  }

  #send(listener: Listener, event: 'changed' | 'beat'): void {
    if ((listener.stream.desiredSize ?? 0) <= 0) this.#end(listener);
    else listener.stream.enqueue(bytes(`event: ${event}\ndata: {}\n\n`));
  }

  #isOver({ endsAt, server }: Listener): boolean {
    return endsAt <= this.#deps.clock() || (server?.draining() ?? false);
  }

  #end(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return;
    try {
      listener.stream.close();
    } catch {
      // The browser had gone already.
    }
  }
}
