// The words the order chart is written in: its guards (questions with a yes or no), its actions (what is remembered, and
// what is asked of the world, as data) and its delays. The chart itself is order.ts.
import { assign, setup } from 'xstate';
import { askAgainAfterMs, MAX_ASKED } from './askSchedule.ts';
import { revivable } from './effects.ts';
import {
  counts,
  fits,
  hear,
  holdsNothing,
  knownState,
  type MoneyFact,
  net,
  type PaymentRecord,
  refundableMinor,
  type Terms,
  wasReturned,
} from './money.ts';
import { ATTEMPTS_KEPT, MAX_ATTEMPTS, MAX_PAYMENTS, newOrderContext, type OrderContext } from './orderContext.ts';
import type { OrderCreated, OrderEvent, PaymentFact } from './orderEvents.ts';

/** How long a customer may take to pay, in ms: UPI and bank pages time out sooner. Money that comes later still counts. */
export const PAYMENT_WINDOW_MS = 30 * 60_000;
/**
 * First wait before a grant that could not be written is tried again, in ms. It doubles with each try, so that a
 * database which refuses it is not hammered.
 */
export const GRANT_OVERDUE_MS = 2 * 60_000;
/** The longest such wait, in ms: whoever repairs the cause sees within the hour that it helped. */
export const GRANT_OVERDUE_MAX_MS = 3_600_000;

/**
 * What the machine can say became of one event. It says `unmatched` where the event belongs to an order that is still to be
 * opened. Dispatch alone gives two more verdicts, `foreign` and `ignored`, to events that no machine hears.
 */
export type MachineVerdict =
  | 'applied'
  | 'duplicate'
  | 'stale'
  | 'illegal'
  | 'mismatch'
  | 'surplus'
  | 'parked'
  | 'unmatched';
export type Answer = { verdict: MachineVerdict; detail?: string };
export type EffectName = 'open' | 'close' | 'capture' | 'void' | 'refund' | 'reconcile' | 'notify' | 'alert';
/** Something to do outside. */
export type EffectParams = {
  effect: EffectName;
  /** Names it within the order: asked for again under the same key, it stays the same effect. */
  key: string;
  /** Every transition that asks for it means another one. */
  each?: true;
  /** Not before so many ms after the transition. */
  delayMs?: number;
  /**
   * Asked for only where its transition is the last one of its commit: what it would tell is no longer true once another
   * transition is written with it.
   */
  unlessFollowed?: true;
  payload: Record<string, unknown>;
};
/** What one action asks for: one effect, several, or by an empty list none. */
export type EffectsAsked = EffectParams | readonly EffectParams[];
export type GrantParams = { change: 'give' | 'revoke' | 'restore' };

export type Asked = { context: OrderContext; event: OrderEvent };

const isMoney = (event: OrderEvent): event is MoneyFact =>
  event.type === 'payment.authorized' ||
  event.type === 'payment.captured' ||
  event.type === 'refund.updated' ||
  event.type === 'dispute.updated';
const isPayment = (event: OrderEvent): event is PaymentFact =>
  event.type === 'payment.authorized' || event.type === 'payment.captured';

/** The payments as they will be once this event is heard. Guards ask about these, not about the present ones. */
const after = ({ context, event }: Asked): PaymentRecord[] =>
  isMoney(event) ? hear(context, context.payments, event) : context.payments;
const paymentOf = ({ context, event }: Asked) =>
  'paymentId' in event ? context.payments.find(payment => payment.paymentId === event.paymentId) : undefined;

const doesFit = ({ context, event }: Asked) => isPayment(event) && fits(context satisfies Terms, event);
const moneyLeft = (asked: Asked) => after(asked).some(counts) && net(after(asked)) > 0;
const moneyGone = (asked: Asked) => after(asked).some(counts) && net(after(asked)) <= 0;
const isTheAuthorization = ({ context, event }: Asked) =>
  'paymentId' in event && event.paymentId !== undefined && event.paymentId === context.authorizedBy;
/** True when the event's time lies before `asOf`, and the provider told both. */
const isOlder = ({ occurredAt }: OrderEvent, asOf: string | null) =>
  occurredAt !== undefined && asOf !== null && occurredAt < asOf;
/** Authorisations that were neither captured nor ended nor given back, leaving out the payment `but`. */
export const openReservations = (payments: PaymentRecord[], but?: string) =>
  payments.filter(
    p => p.state === 'authorized' && p.paymentId !== but && !wasReturned([p], p.paymentId, p.amountMinor),
  );
const nothingReserved = (payments: PaymentRecord[]) => openReservations(payments).length === 0;
/** True while money is reserved or held that is not what the order costs: the reason why such an order is parked. */
const oddPaymentStands = (payments: PaymentRecord[]) =>
  payments.some(payment => !payment.fits && (!nothingReserved([payment]) || !holdsNothing([payment])));
/** True while the authorisation that the order waits for can still be captured. */
const reservationStands = ({ authorizedBy }: OrderContext, payments: PaymentRecord[]) =>
  openReservations(payments).some(payment => payment.paymentId === authorizedBy && payment.fits);
const authorizationStands = (context: OrderContext, payments = context.payments) =>
  !oddPaymentStands(payments) && reservationStands(context, payments);
const moneyHeld = (asked: Asked) => !holdsNothing(after(asked));
const moneyIsBack = (asked: Asked) =>
  'state' in asked.event && (asked.event.state === 'completed' || asked.event.state === 'lost') && !moneyHeld(asked);
const authorizationGivenBack = (asked: Asked) =>
  asked.event.type === 'refund.updated' &&
  isTheAuthorization(asked) &&
  after(asked).some(p => p.paymentId === asked.context.authorizedBy && wasReturned([p], p.paymentId, p.amountMinor));
/** True for a fitting payment while other authorisations could still be captured. */
const besideReservations = (asked: Asked) =>
  doesFit(asked) &&
  openReservations(asked.context.payments, isPayment(asked.event) ? asked.event.paymentId : '').length > 0;

/** The payment a refund request means (the named one, or the newest that still holds money) and how much of it. */
export function refundTarget({ context, event }: Asked): { paymentId: string; amountMinor: number } | null {
  if (event.type !== 'refund.requested') return null;
  const candidates = context.payments.filter(payment => refundableMinor(payment) > 0);
  const payment = event.paymentId ? candidates.find(entry => entry.paymentId === event.paymentId) : candidates.at(-1);
  if (!payment) return null;
  const amountMinor = event.amountMinor ?? refundableMinor(payment);
  return amountMinor <= refundableMinor(payment) ? { paymentId: payment.paymentId, amountMinor } : null;
}

/** `failed` may be authorised again under the same id (a retried intent); `voided` is over. */
const endAuthorization = (context: OrderContext, state: 'failed' | 'voided') =>
  context.payments.map(p => (p.state === 'authorized' && p.paymentId === context.authorizedBy ? { ...p, state } : p));
const endReservations = ({ payments }: OrderContext) => {
  const open = openReservations(payments);
  return payments.map(p => (open.includes(p) ? { ...p, state: 'voided' as const } : p));
};

export const orderSetup = setup({
  types: {
    context: {} as OrderContext,
    events: {} as OrderEvent,
    input: {} as OrderCreated,
  },
  delays: {
    paymentWindow: PAYMENT_WINDOW_MS,
    captureWindow: ({ context }) => askAgainAfterMs(context.asked),
    grantOverdue: ({ context }) => Math.min(GRANT_OVERDUE_MS * 2 ** context.grantTries, GRANT_OVERDUE_MAX_MS),
  },
  guards: {
    costsNothing: ({ context }) => context.amountMinor === 0,
    fits: doesFit,
    belongsElsewhere: ({ event }) => isPayment(event) && event.ownedBy !== undefined,
    fitsAndPays: asked => doesFit(asked) && moneyLeft(asked),
    paysBesideReservations: asked => besideReservations(asked) && moneyLeft(asked),
    fitsBesideReservations: besideReservations,
    passedOn: ({ context, event }) =>
      'paymentId' in event && event.paymentId !== undefined && context.passedOn.includes(event.paymentId),
    // A payment that this order has heard of stands in its books already, and a payment stands in one order's books only.
    passesOn: asked =>
      doesFit(asked) && asked.context.plan.surplusPolicy === 'extend' && paymentOf(asked) === undefined,
    tooManyPayments: asked => asked.context.payments.length >= MAX_PAYMENTS && paymentOf(asked) === undefined,
    moneyLeft: asked => !asked.context.granted && moneyLeft(asked),
    moneyBackAgain: asked => asked.context.granted && moneyLeft(asked),
    fitsMoneyBackAgain: asked => asked.context.granted && doesFit(asked) && moneyLeft(asked),
    moneyGone,
    nothingNew: asked => after(asked) === asked.context.payments,
    olderFact: ({ context, event }) => {
      if (event.type !== 'refund.updated' && event.type !== 'dispute.updated') return false;
      const known = knownState(context.payments, event);
      return (
        known !== undefined && known !== event.state && hear(context, context.payments, event) === context.payments
      );
    },
    givenBackAlready: ({ context, event }) =>
      isPayment(event) && wasReturned(context.payments, event.paymentId, event.amountMinor),
    oddMoneyIsBack: asked =>
      isMoney(asked.event) && after(asked).some(p => p.state === 'captured') && holdsNothing(after(asked)),
    oddMoneyIsBackWhileReserved: asked =>
      isPayment(asked.event) && !moneyHeld(asked) && reservationStands(asked.context, after(asked)),
    allMoneyIsBack: asked => moneyIsBack(asked) && nothingReserved(after(asked)),
    onlyTheReservationStands: asked =>
      moneyIsBack(asked) && paymentOf(asked)?.state === 'captured' && authorizationStands(asked.context, after(asked)),
    moneyHeld,
    isCapturedPayment: asked => paymentOf(asked)?.state === 'captured',
    isTheAuthorization,
    isTheAuthorizationMoneyHeld: asked => isTheAuthorization(asked) && moneyHeld(asked),
    authorizationGivenBack,
    authorizationGivenBackMoneyHeld: asked => authorizationGivenBack(asked) && moneyHeld(asked),
    attemptKnown: ({ context, event }) =>
      'paymentId' in event &&
      event.paymentId !== undefined &&
      context.attempts.some(attempt => attempt.paymentId === event.paymentId),
    tooManyAttempts: ({ context }) => context.attemptCount >= MAX_ATTEMPTS,
    // Only times that the provider told are compared: our clock may be minutes away from theirs, and a failure that we
    // learned of by asking is stamped with the time of the question. When in doubt the answer is no: an authorisation that is
    // believed wrongly is put right by its capture, while nothing would ever put right one that was refused wrongly.
    olderThanItsFailure: ({ context, event }) =>
      isPayment(event) &&
      context.attempts.some(({ paymentId, asOf }) => paymentId === event.paymentId && isOlder(event, asOf)),
    failedBefore: asked => isTheAuthorization(asked) && isOlder(asked.event, paymentOf(asked)?.asOf ?? null),
    notOpened: ({ context }) => context.providerOrderId === null,
    openedAsThis: ({ context, event }) =>
      event.type === 'checkout.opened' && event.providerOrderId === context.providerOrderId,
    refundable: asked => refundTarget(asked) !== null,
    effectIsDead: ({ context, event }) =>
      event.type === 'retry.requested' && revivable(context.payments, event.dead ?? []).length > 0,
    authorizationStands: ({ context }) => authorizationStands(context),
    causeIsGone: ({ context }) => !oddPaymentStands(context.payments),
    holdsNothing: ({ context }) => holdsNothing(context.payments),
    onlyReserves: ({ context }) =>
      holdsNothing(context.payments) && context.payments.some(p => p.state === 'authorized'),
    closedAlready: ({ context }) => context.closed,
    mayAskAgain: ({ context }) => context.asked < MAX_ASKED,
  },
  actions: {
    // These are data for decide.ts; nothing runs them.
    answer: (_, _params: Answer) => {},
    effect: (_, _params: EffectsAsked) => {},
    rearmDead: () => {},
    grant: (_, _params: GrantParams) => {},
    // These change what the order remembers.
    open: assign(({ event }) =>
      event.type === 'checkout.opened'
        ? {
            providerOrderId: event.providerOrderId,
            checkoutUrl: event.url ?? null,
            providerHandle: event.handle ?? null,
          }
        : {},
    ),
    hear: assign({
      payments: after,
      providerSubscriptionId: ({ context, event }) =>
        (isPayment(event) && event.subscriptionId) || context.providerSubscriptionId,
    }),
    awaitCapture: assign(({ event }) =>
      'paymentId' in event ? { authorizedBy: event.paymentId ?? null, asked: 0 } : { asked: 0 },
    ),
    dropAuthorization: assign({ payments: ({ context }) => endAuthorization(context, 'failed'), authorizedBy: null }),
    voidAuthorization: assign({ payments: ({ context }) => endAuthorization(context, 'voided'), authorizedBy: null }),
    voidReservations: assign({ payments: ({ context }) => endReservations(context), authorizedBy: null }),
    passOn: assign({
      passedOn: ({ context, event }) => (isPayment(event) ? [...context.passedOn, event.paymentId] : context.passedOn),
    }),
    noteAttempt: assign(({ context, event }) => ({
      attempts: [
        ...context.attempts,
        {
          paymentId: ('paymentId' in event && event.paymentId) || null,
          asOf: ('occurredAt' in event && event.occurredAt) || null,
        },
      ].slice(-ATTEMPTS_KEPT),
      attemptCount: context.attemptCount + 1,
    })),
    noteClosed: assign({ closed: true }),
    noteAsked: assign({ asked: ({ context }) => context.asked + 1 }),
    noteGrantTry: assign({ grantTries: ({ context }) => context.grantTries + 1 }),
    noteGranted: assign({ granted: true }),
  },
});

export const orderContextOf = ({ input }: { input: OrderCreated }) => newOrderContext(input);
