// The fields of the events a person can send: how each is asked for, what stands in it beforehand from what the order
// knows, and how what was typed becomes the event. Which fields an event has is the schema's word, not this table's.
import { decimalsOf, plainAmount } from '../../../machines/amountText.ts';
import type { SendableType } from '../../../machines/explain.ts';
import { heldMinor, refundableMinor } from '../../../machines/money.ts';
import type { OrderContext } from '../../../machines/orderContext.ts';
import { isRequestType, sendableEvents, type UnstampedOrderEvent } from '../../../machines/orderEvents.ts';
import { formatAmount } from '../../pages/formatAmount.ts';

export type Field = {
  /** In the event and in the form, but for a fact's own reason: the form has the operator's under that name. */
  name: string;
  param: string;
  label: string;
  hint: string;
  isRequired: boolean;
  /** Nearly never needed; out of the way. */
  isRare: boolean;
  /** Instead of free text. */
  choices?: readonly { value: string; label: string }[];
  /** Known values that are offered while typing. */
  suggestions: readonly string[];
  /** What stands in it when the form is opened. */
  preset: string;
};

type Asked = { label: string; hint: string; isRare?: true; choices?: Field['choices'] };
const choice = (...values: string[]) => values.map(value => ({ value, label: value }));

const ASKED: Readonly<Record<string, Asked>> = {
  paymentId: { label: 'Payment', hint: 'The provider’s id of it, such as pay_29QQoUBi66xm2f.' },
  amountMinor: { label: 'Amount', hint: '' },
  currency: { label: 'Currency', hint: 'Three capitals, such as INR.' },
  refundId: { label: 'Refund', hint: 'The provider’s id of it, such as rfnd_FP8QHiV938haTz.' },
  disputeId: { label: 'Dispute', hint: 'The provider’s id of it, such as disp_1Example.' },
  state: { label: 'State', hint: '' },
  reason: { label: 'What the provider said', hint: 'Such as “card declined”; may stay empty.', isRare: true },
  account: { label: 'Account', hint: 'The provider’s account, where it is not the order’s.', isRare: true },
  live: {
    label: 'Mode',
    hint: 'Of the payment, where the provider tells it.',
    isRare: true,
    choices: [
      { value: '', label: 'as the order' },
      { value: 'true', label: 'live' },
      { value: 'false', label: 'test' },
    ],
  },
  subscriptionId: { label: 'Provider’s subscription', hint: 'Where the payment was charged for one.', isRare: true },
  occurredAt: {
    label: 'When it happened',
    hint: 'In UTC, such as 2026-01-31 10:00; empty where the provider does not say.',
    isRare: true,
  },
};
const STATES: Readonly<Record<string, Field['choices']>> = {
  'refund.updated': choice('completed', 'pending', 'failed'),
  'dispute.updated': choice('opened', 'won', 'lost'),
};

/** The form of this event for this order. */
export function fieldsOf(type: SendableType, context: OrderContext): Field[] {
  return Object.entries(sendableEvents[type].shape)
    .filter(([name]) => !isStamp(type, name))
    .map(([name, schema]): Field => {
      const asked = ASKED[name] ?? { label: name, hint: '' };
      const choices = asked.choices ?? (name === 'state' ? STATES[type] : undefined);
      return {
        name,
        param: name === 'reason' ? 'said' : name,
        label: asked.label,
        hint: hintOf(type, name, asked.hint, context),
        isRequired: !schema.safeParse(undefined).success,
        isRare: asked.isRare ?? false,
        ...(choices && { choices }),
        suggestions: suggestionsFor(type, name, context),
        preset: presetOf(type, name, context),
      };
    });
}

/** Written by dispatch, or asked of everybody who sends anything. */
const isStamp = (type: SendableType, name: string): boolean =>
  ['type', 'at', 'by'].includes(name) || (['reason', 'occurredAt'].includes(name) && isRequestType(type));

function hintOf(type: SendableType, name: string, hint: string, context: OrderContext): string {
  if (name === 'amountMinor') return amountHint(type, context);
  if (name === 'paymentId' && type === 'refund.requested') return 'Empty: the newest one that holds money.';
  return hint;
}

function amountHint(type: SendableType, { payments, amountMinor, currency }: OrderContext): string {
  if (type !== 'refund.requested') return `As people write it, such as ${plainAmount(amountMinor, currency)}.`;
  const able = payments.filter(payment => refundableMinor(payment) > 0);
  if (able.length === 0) return 'Empty: all that can be sent back. Now that is nothing.';
  const each = able.map(p => `${formatAmount(refundableMinor(p), p.currency)} of ${p.paymentId}`);
  return `Empty: all that can be sent back, ${each.join(' or ')}.`;
}

function suggestionsFor(type: SendableType, name: string, context: OrderContext): string[] {
  const { payments, attempts } = context;
  switch (name) {
    case 'paymentId': {
      const tried = type.startsWith('payment.') ? attempts.flatMap(({ paymentId }) => paymentId ?? []) : [];
      return [...new Set([...payments.map(({ paymentId }) => paymentId), ...tried])];
    }
    case 'refundId':
      return payments.flatMap(({ refunds }) => refunds.map(({ id }) => id));
    case 'disputeId':
      return payments.flatMap(({ disputes }) => disputes.map(({ id }) => id));
    case 'currency':
      return [...new Set([context.currency, ...payments.map(({ currency }) => currency)])];
    default:
      return [];
  }
}

/**
 * What is most likely meant: the reservation that is waited for, the newest payment that holds money, the order's own
 * price.
 */
function presetOf(type: SendableType, name: string, context: OrderContext): string {
  const isPayment = type === 'payment.authorized' || type === 'payment.captured';
  const holding = context.payments.findLast(payment => heldMinor(payment) > 0);
  if (name === 'currency') return context.currency;
  if (name === 'paymentId') {
    if (type === 'refund.requested') return '';
    return (type.startsWith('payment.') ? context.authorizedBy : holding?.paymentId) ?? '';
  }
  if (name === 'amountMinor') {
    if (isPayment) return plainAmount(context.amountMinor, context.currency);
    if (type !== 'refund.requested' && holding) return plainAmount(heldMinor(holding), holding.currency);
  }
  return '';
}

export type Filled =
  | { event: UnstampedOrderEvent; errors: null }
  /** A sentence a field, by its name in the form. */
  | { event: null; errors: Readonly<Record<string, string>> };

/** The event from what was typed. `reason` and `by` are of whoever sends it, and stand in requests only. */
export function readEvent(type: SendableType, context: OrderContext, form: (param: string) => string): Filled {
  const errors: Record<string, string> = {};
  const told: Record<string, unknown> = { type, at: '1970-01-01T00:00:00.000Z' };
  for (const field of fieldsOf(type, context)) {
    const text = form(field.param).trim();
    if (text === '') {
      if (field.isRequired) errors[field.param] = `${field.label} is missing.`;
      continue;
    }
    const value = readValue(field.name, text, amountCurrency(context, form));
    if ('wrong' in value) errors[field.param] = value.wrong;
    else told[field.name] = value.read;
  }
  if (isRequestType(type)) Object.assign(told, { reason: form('reason'), by: form('by') });
  const parsed = sendableEvents[type].safeParse(told);
  for (const { path, message } of parsed.error?.issues ?? []) {
    const name = String(path[0]);
    const param = name === 'reason' && !isRequestType(type) ? 'said' : name;
    errors[param] ??= `It ${/^must/.test(message) ? message : `cannot be read: ${message}`}.`;
  }
  if (!parsed.success || Object.keys(errors).length > 0) return { event: null, errors };
  const { at: _stamped, ...event } = parsed.data;
  return { event, errors: null };
}

/** What goes back is in the payment's own currency, which the form does not ask for again. */
function amountCurrency({ currency, payments }: OrderContext, form: (param: string) => string): string {
  const named = form('currency').trim();
  if (/^[A-Z]{3}$/.test(named)) return named;
  const id = form('paymentId').trim();
  const payment =
    payments.find(({ paymentId }) => paymentId === id) ?? payments.findLast(each => refundableMinor(each) > 0);
  return payment?.currency ?? currency;
}

type Value = { read: unknown } | { wrong: string };

function readValue(name: string, text: string, currency: string): Value {
  if (name === 'amountMinor') return amountOf(text, currency);
  if (name === 'live') return { read: text === 'true' };
  if (name === 'occurredAt') return instantOf(text);
  return { read: text };
}

function amountOf(text: string, currency: string): Value {
  const digits = decimalsOf(currency);
  const [, whole = '', fraction = ''] = /^(\d{1,13})(?:\.(\d{1,4}))?$/.exec(text) ?? [];
  if (whole === '') return { wrong: `Write it in digits with a point, such as ${plainAmount(49_900, currency)}.` };
  if (fraction.length > digits)
    return { wrong: `${currency} has ${digits === 0 ? 'no' : digits} digits after the point.` };
  return { read: Number(whole + fraction.padEnd(digits, '0')) };
}

function instantOf(text: string): Value {
  const [, day, time = '00:00', rest = ':00'] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?)?(?: ?UTC|Z)?$/.exec(text) ?? [];
  const instant = new Date(`${day}T${time}${rest}Z`);
  const isReal = !Number.isNaN(instant.getTime()) && instant.toISOString().slice(0, 10) === day;
  return isReal ? { read: instant.toISOString() } : { wrong: 'Write it in UTC, such as 2026-01-31 10:00.' };
}
