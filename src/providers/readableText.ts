// Words of a provider, fit to be stored and shown.
import { MAX_REASON_LENGTH } from '../../machines/orderEvents.ts';

/**
 * What of these values is text, joined: no control characters, no halves of surrogate pairs, no longer than a reason may
 * be. Undefined when nothing is left.
 */
export function readableText(...values: unknown[]): string | undefined {
  const text = values
    .filter((value): value is string => typeof value === 'string' && value !== '')
    .join(': ')
    .slice(0, MAX_REASON_LENGTH)
    .replace(/\p{Surrogate}|\p{Control}/gu, '\ufffd')
    .trim();
  return text === '' ? undefined : text;
}
