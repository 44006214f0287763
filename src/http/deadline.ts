// No caller waits longer than a named time: past it the answer is 503 with Retry-After, which is always safe, because
// whatever the request has started ends in at most one commit and asking again finds it.
import type { MiddlewareHandler } from 'hono';
import { Overloaded } from '../errors.ts';
import type { AppEnv } from './appTypes.ts';

/** In ms. Above a query's own deadline (4 s) and a provider call (5 s), so that those report themselves first. */
const REQUEST_DEADLINE_MS = 8_000;

/** Answers 503 when the handlers behind it take longer than `ms`. */
export function deadline(ms: number = REQUEST_DEADLINE_MS): MiddlewareHandler<AppEnv> {
  return async (_c, next) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const refuse = () =>
        reject(new Overloaded(`No answer within ${ms / 1_000} s. Ask again: what was done is not done twice.`));
      timer = setTimeout(refuse, ms);
    });
    try {
      await Promise.race([next(), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
