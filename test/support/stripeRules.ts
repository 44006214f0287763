// What a fake Stripe refuses, in the words and codes of the real one.
export type Fields = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: objects as Stripe shows them
export type StripeObject = Record<string, any>;

export const ZERO_DECIMALS = new Set(['jpy', 'krw', 'vnd', 'clp', 'xaf', 'mga', 'pyg']);
export const SESSION_PARAMS = [
  'mode',
  'line_items',
  'client_reference_id',
  'metadata',
  'payment_intent_data',
  'success_url',
  'cancel_url',
  'expires_at',
  'expand',
];

export class StripeRefusal extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly type: string;
  readonly payment_intent: StripeObject | undefined;
  param: string | undefined;
  constructor(
    status: number,
    code: string | undefined,
    message: string,
    type = 'invalid_request_error',
    payment_intent?: StripeObject,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.type = type;
    this.payment_intent = payment_intent;
  }
}

export function list(all: StripeObject[], limit: number, after?: unknown) {
  need(limit >= 1 && limit <= 100, 'limit', 'parameter_invalid_integer');
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0) throw new StripeRefusal(400, 'resource_missing', `No such object: '${after}'`);
  return { object: 'list', data: all.slice(from, from + limit), has_more: all.length > from + limit };
}

/** Asked of `GET` for what was made: the newest first, since an instant, and about what else is named. */
export function listMade(all: Iterable<StripeObject>, fields: Fields): ReturnType<typeof list> {
  only(fields, ['charge', 'created', 'ending_before', 'expand', 'limit', 'payment_intent', 'starting_after']);
  const created = (fields.created ?? {}) as Fields;
  only(created, ['gt', 'gte', 'lt', 'lte']);
  const since = Number(created.gte ?? 0);
  need(Number.isSafeInteger(since), 'created[gte]', 'parameter_invalid_integer');
  const isAsked = (name: 'charge' | 'payment_intent', entry: StripeObject) =>
    fields[name] === undefined || entry[name] === fields[name];
  const asked = [...all].filter(
    entry => entry.created >= since && isAsked('payment_intent', entry) && isAsked('charge', entry),
  );
  asked.reverse().sort((a, b) => b.created - a.created);
  return list(asked, Number(fields.limit ?? 10), fields.starting_after);
}

export function found(map: Map<string, StripeObject>, id: unknown, what: string): StripeObject {
  const object = map.get(String(id));
  if (!object) throw new StripeRefusal(404, 'resource_missing', `No such ${what}: '${id}'`);
  return object;
}

export function only(fields: Fields, allowed: string[]): void {
  const unknown = Object.keys(fields).find(name => !allowed.includes(name));
  if (unknown) throw new StripeRefusal(400, 'parameter_unknown', `Received unknown parameter: ${unknown}`);
}

export function need(holds: unknown, param: string, code: string): void {
  if (!holds) throw Object.assign(new StripeRefusal(400, code, `Invalid ${param}`), { param });
}

export const unexpected = (message: string, intent: StripeObject) =>
  new StripeRefusal(400, 'payment_intent_unexpected_state', message, 'invalid_request_error', intent);
