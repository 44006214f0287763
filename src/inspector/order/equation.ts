// The money equation of an order, from what stands in the books: captured − refunded − lost = net, and what that means
// beside the price. Pure. The rule is the chart's own (machines/money.ts); here each term is kept to be shown.
import type { OrderPageRow } from '../../../db/inspect/orderPage.ts';
import type { PaymentRecord } from '../../../machines/money.ts';
import { formatAmount } from '../../pages/formatAmount.ts';

/** A refund that is asked for or pending: its money is still here and must not be sent twice. */
export type UnderWay = {
  paymentId: string;
  amountMinor: number;
  currency: string;
  key: string | null;
  refundId: string | null;
};

export type Equation = {
  captured: number;
  refunded: number;
  lost: number;
  /** More went back of a payment than came: that brings nothing, not less. */
  over: number;
  net: number;
  price: number;
  currency: string;
  meaning: 'free' | 'nothing' | 'unfit' | 'partial' | 'paid' | 'surplus';
  sentence: string;
  underWay: UnderWay[];
  /** Captured money that is still here and does not pay for this order. */
  beside: { paymentId: string; heldMinor: number; currency: string }[];
  /** The snapshot counts another net than the tables: that must never be. */
  disagrees: number | null;
};

type Books = Pick<OrderPageRow, 'payments' | 'refunds'> & {
  order: Pick<OrderPageRow['order'], 'amountMinor' | 'currency'>;
};

/** `known` are the payments of the snapshot and `knownNet` what it counts; null where it cannot be read. */
export function equationOf(
  { order, payments, refunds }: Books,
  known: PaymentRecord[] | null,
  knownNet: number | null,
): Equation {
  const { amountMinor: price, currency } = order;
  const counting = payments.filter(payment => payment.counts);
  const sum = (of: (payment: (typeof payments)[number]) => number) =>
    counting.reduce((total, each) => total + of(each), 0);
  const captured = sum(payment => payment.capturedMinor);
  const refunded = sum(payment => payment.refundedMinor);
  const lost = sum(payment => payment.lostMinor);
  const over = sum(payment => Math.max(0, payment.refundedMinor + payment.lostMinor - payment.capturedMinor));
  const net = captured - refunded - lost + over;
  const beside = payments
    .map(payment => ({ payment, heldMinor: payment.capturedMinor - payment.refundedMinor - payment.lostMinor }))
    .filter(({ payment, heldMinor }) => !payment.counts && heldMinor > 0)
    .map(({ payment, heldMinor }) => ({ paymentId: payment.paymentId, heldMinor, currency: payment.currency }));
  const held = meaningOf(net, price);
  const meaning = held === 'nothing' && beside.length > 0 ? 'unfit' : held;
  return {
    captured,
    refunded,
    lost,
    over,
    net,
    price,
    currency,
    meaning,
    sentence: sentenceOf(meaning, net, price, currency),
    underWay: underWayOf(refunds, known),
    beside,
    disagrees: knownNet !== null && knownNet !== net ? knownNet : null,
  };
}

function meaningOf(net: number, price: number): Equation['meaning'] {
  if (price === 0) return 'free';
  if (net <= 0) return 'nothing';
  if (net < price) return 'partial';
  return net === price ? 'paid' : 'surplus';
}

function sentenceOf(meaning: Equation['meaning'], net: number, price: number, currency: string): string {
  const money = (minor: number) => formatAmount(minor, currency);
  switch (meaning) {
    case 'free':
      return 'It costs nothing.';
    case 'nothing':
      return 'Nothing held: no money of this order is with us.';
    case 'unfit':
      return 'Not paid: money is held, and none of it is what the order costs.';
    case 'partial':
      return `Partial: ${money(price - net)} of the price went back. That changes no access.`;
    case 'paid':
      return 'Paid: exactly what the order costs is held.';
    case 'surplus':
      return `Surplus: ${money(net - price)} more is held than the order costs.`;
  }
}

function underWayOf(refunds: Books['refunds'], known: PaymentRecord[] | null): UnderWay[] {
  const pending = refunds
    .filter(({ state }) => state === 'pending')
    .map(({ id, paymentId, amountMinor, currency }) => ({ paymentId, amountMinor, currency, key: null, refundId: id }));
  const asked = (known ?? []).flatMap(({ paymentId, currency, asked }) =>
    asked.map(({ key, amountMinor }) => ({ paymentId, amountMinor, currency, key, refundId: null })),
  );
  return [...asked, ...pending];
}
