// The conditions of the order chart as sentences: what each asks, and where it helps, what it found. One table; a test
// fails when the chart has a condition that has no sentence here.

import { heldMinor, refundableMinor, underWayMinor } from '../../../machines/money.ts';
import { ATTEMPTS_KEPT, MAX_ATTEMPTS, MAX_PAYMENTS, type OrderContext } from '../../../machines/orderContext.ts';
import type { OrderEvent } from '../../../machines/orderEvents.ts';
import { formatAmount } from '../../pages/formatAmount.ts';

/** `event` is null before anybody has filled it in. */
export type About = { context: OrderContext; event: OrderEvent | null };
type Words = {
  /** A statement that is true where the condition holds. */
  asks: string;
  /** What was found, after yes or no. */
  found?: (about: About, holds: boolean) => string | null;
};

const costs = ({ context }: About): string => formatAmount(context.amountMinor, context.currency);

/** What the payment is, beside what the order costs, in whatever differs. */
function terms(about: About, holds: boolean): string | null {
  const { context, event } = about;
  if (holds || event === null || !('currency' in event)) return null;
  const account = event.account !== undefined && event.account !== context.account;
  const mode = event.live !== undefined && event.live !== context.live;
  if (account) return `it is of account ${event.account} where the order is of ${context.account ?? 'none'}`;
  if (mode) return `it is in ${event.live ? 'live' : 'test'} mode where the order is not`;
  return event.amountMinor === context.amountMinor && event.currency === context.currency
    ? null
    : `it is ${formatAmount(event.amountMinor, event.currency)} where the order costs ${costs(about)}`;
}

function awaited({ context }: About, holds: boolean): string | null {
  if (holds) return null;
  return context.authorizedBy ? `it waits for ${context.authorizedBy}` : 'it waits for none';
}

function held({ context }: About): string | null {
  const holding = context.payments.filter(payment => heldMinor(payment) > 0);
  if (holding.length === 0) return 'none is held';
  return holding.map(p => `${formatAmount(heldMinor(p), p.currency)} of ${p.paymentId}`).join(', ');
}

function refundable({ context }: About): string | null {
  const holding = context.payments.filter(payment => heldMinor(payment) > 0);
  if (holding.length === 0) return 'no captured money is held';
  return holding
    .map(payment => {
      const back = underWayMinor(payment);
      const can = `${formatAmount(refundableMinor(payment), payment.currency)} of ${payment.paymentId} can be`;
      return back === 0 ? can : `${can}, ${formatAmount(back, payment.currency)} are on their way back`;
    })
    .join('; ');
}

function wrongPayments({ context }: About, holds: boolean): string | null {
  const wrong = context.payments.filter(payment => !payment.fits && heldMinor(payment) > 0);
  if (holds || wrong.length === 0) return null;
  return wrong.map(p => `${formatAmount(heldMinor(p), p.currency)} of ${p.paymentId} are still held`).join(', ');
}

const revived = ({ event }: About): string | null => {
  if (event?.type !== 'retry.requested' || !event.dead?.length) return 'nothing was given up';
  return event.dead.map(({ effect }) => effect).join(', ');
};
const owner = ({ event }: About, holds: boolean) => (holds && event && 'ownedBy' in event && event.ownedBy) || null;
const granted = ({ context }: About) => (context.granted ? 'it was granted' : 'it was not granted');
const policy = ({ context }: About) => `the plan says ${context.plan.surplusPolicy}`;

export const GUARD_WORDS: Readonly<Record<string, Words>> = {
  costsNothing: { asks: 'the order costs nothing' },
  fits: { asks: 'the payment is what the order costs', found: terms },
  belongsElsewhere: { asks: 'the payment belongs to another order', found: owner },
  fitsAndPays: { asks: 'the payment is what the order costs, and its money has not gone back', found: terms },
  paysBesideReservations: {
    asks: 'the payment is what the order costs, its money has not gone back, and other reservations stand',
    found: terms,
  },
  fitsBesideReservations: { asks: 'the payment is what the order costs, and other reservations stand', found: terms },
  passedOn: { asks: 'the payment was passed on, to become an order of its own' },
  passesOn: { asks: 'the plan makes a further payment an order of its own, and this one is new', found: policy },
  tooManyPayments: { asks: `the order knows ${MAX_PAYMENTS} payments, and this is a new one` },
  moneyLeft: { asks: 'nothing is granted yet, and money that pays for the order is held afterwards', found: granted },
  moneyBackAgain: {
    asks: 'the order was granted, and money that pays for it is held again afterwards',
    found: granted,
  },
  fitsMoneyBackAgain: {
    asks: 'the order was granted, and this payment pays for it once more',
    found: terms,
  },
  moneyGone: { asks: 'all money that paid for the order has gone back afterwards' },
  nothingNew: { asks: 'the order knows this already' },
  olderFact: { asks: 'something newer is known of it' },
  givenBackAlready: { asks: 'this payment was given back already' },
  oddMoneyIsBack: { asks: 'the payment was captured, and no captured money is left with us' },
  oddMoneyIsBackWhileReserved: { asks: 'no captured money is left with us, and the reservation stands' },
  allMoneyIsBack: { asks: 'no captured money is left with us afterwards, and nothing is reserved' },
  onlyTheReservationStands: { asks: 'no captured money is left with us afterwards, and the reservation stands' },
  moneyHeld: { asks: 'captured money is held afterwards', found: held },
  isCapturedPayment: { asks: 'the payment is captured already' },
  isTheAuthorization: { asks: 'it is the reservation the order waits for', found: awaited },
  isTheAuthorizationMoneyHeld: {
    asks: 'it is the reservation the order waits for, and captured money is held',
    found: awaited,
  },
  authorizationGivenBack: { asks: 'the whole reservation the order waits for is given back', found: awaited },
  authorizationGivenBackMoneyHeld: {
    asks: 'the whole reservation the order waits for is given back, and captured money is held',
    found: awaited,
  },
  attemptKnown: { asks: `this attempt is among the last ${ATTEMPTS_KEPT} that are known` },
  tooManyAttempts: {
    asks: `${MAX_ATTEMPTS} attempts have failed`,
    found: ({ context }) => `${context.attemptCount} have`,
  },
  olderThanItsFailure: { asks: 'this payment has failed since' },
  failedBefore: { asks: 'this payment was reserved after that failure' },
  notOpened: {
    asks: 'the order is not open at the provider',
    found: ({ context }) => context.providerOrderId && `it is ${context.providerOrderId} there`,
  },
  openedAsThis: { asks: 'the order is open at the provider under this id' },
  refundable: { asks: 'that much captured money can be sent back', found: refundable },
  effectIsDead: { asks: 'something that was given up can be run again', found: revived },
  authorizationStands: {
    asks: 'the reservation stands, and no wrong payment does',
    found: (about, holds) => wrongPayments(about, holds) ?? awaited(about, holds),
  },
  causeIsGone: { asks: 'no payment stands that is not what the order costs', found: wrongPayments },
  holdsNothing: { asks: 'no captured money is held', found: (about, holds) => (holds ? null : held(about)) },
  onlyReserves: {
    asks: 'money is reserved, and none is captured',
    found: (about, holds) => (holds ? null : held(about)),
  },
  closedAlready: { asks: 'the order is closed at the provider, or that was asked for' },
  mayAskAgain: {
    asks: 'the provider may be asked again',
    found: ({ context }) => `it was asked ${context.asked === 1 ? 'once' : `${context.asked} times`}`,
  },
};

/** What the fields of an event that is not written yet decide. */
const SUBJECTS: Readonly<Record<string, string>> = { refund: 'refund', dispute: 'dispute' };
const subjectOf = (type: string): string => SUBJECTS[type.split('.')[0] ?? ''] ?? 'payment';

export type Verdict = { asks: string; answer: 'yes' | 'no' | 'depends'; found: string };

/** `the payment is what the order costs` · no · `it is ₹500.00 where the order costs ₹499.00` */
export function guardVerdict(guard: string, holds: boolean | null, about: About, type: string): Verdict {
  const words = GUARD_WORDS[guard] ?? { asks: guard };
  if (holds === null) return { asks: words.asks, answer: 'depends', found: `depends on the ${subjectOf(type)}` };
  return { asks: words.asks, answer: holds ? 'yes' : 'no', found: words.found?.(about, holds) || '' };
}
