// What somebody with the customer on the phone needs besides what the order waits for: what to do about it, and what may be
// said without promising anything. Pure.

import type { SendableType } from '../../../machines/explain.ts';
import { heldMinor, refundableMinor } from '../../../machines/money.ts';
import type { OrderContext } from '../../../machines/orderContext.ts';
import { formatAmount } from '../../pages/formatAmount.ts';
import type { Stuck } from '../../ports.ts';
import type { WaitingOrder, Words } from './waitsFor.ts';

/** `ask` puts the provider's truth beside ours; the others open the dry run of an event. */
export type NextStep = { does: SendableType | 'ask'; isFirst: boolean };

export type Guidance = {
  /** Null where there is nothing to do. */
  todo: string | null;
  /** Null where nobody knows enough to say anything. */
  tell: Words | null;
  steps: NextStep[];
};

/** The order as `waitsFor` reads it. */
export function guidanceFor(about: WaitingOrder): Guidance {
  const { stuck } = about;
  return { ...(stuck ? whenStuck(about, stuck) : whenNot(about)), tell: customerWords(about) };
}

type Todo = Omit<Guidance, 'tell'>;
const first = (does: NextStep['does']): NextStep => ({ does, isFirst: true });
const also = (does: NextStep['does']): NextStep => ({ does, isFirst: false });

function whenStuck(about: WaitingOrder, { cause }: Stuck): Todo {
  const { order, live } = about;
  const ask = canAsk(about) ? [also('ask')] : [];
  switch (cause) {
    case 'grant_failed':
      return {
        todo: 'Mend what the database refuses, then retry. A retry moves no money, and pressing twice grants once.',
        steps: [first('retry.requested'), ...ask],
      };
    case 'effect_dead':
      return {
        todo: 'Mend the reason of the last answer, then retry: it runs again under the same key, so nothing is done twice.',
        steps: [first('retry.requested'), ...ask],
      };
    case 'deadline_passed':
      return {
        todo: 'The sweeper hears deadlines within seconds. If this stays, it does not run: the overview says so. A retry hears it at once.',
        steps: [first('retry.requested'), ...ask],
      };
    case 'snapshot_unreadable':
      return live
        ? { todo: 'Retry: what was kept is decided then.', steps: [first('retry.requested'), ...ask] }
        : {
            todo: `Run a version of this service that has the chart ${order.machine}. What was kept is decided then.`,
            steps: ask,
          };
    case 'parked':
      return whenParked(about, ask);
  }
}

function whenParked({ live, order }: WaitingOrder, ask: NextStep[]): Todo {
  const canGoBack = live?.state.context.payments.some(payment => refundableMinor(payment) > 0) ?? false;
  if (canGoBack)
    return {
      todo: 'See at the provider why the sum is another, and send the money back. Then the order can be paid again.',
      steps: [first('refund.requested'), ...ask],
    };
  return {
    todo: `Ask ${order.provider ?? 'the provider'} what became of the payment, and tell the order below. A retry is taken once the cause is gone.`,
    steps: [...ask.map(({ does }) => first(does)), also('retry.requested')],
  };
}

/** Paid at the provider and not known here is a webhook that never came. */
function whenNot(about: WaitingOrder): Todo {
  const { order } = about;
  if (!canAsk(about) || !['created', 'authorized', 'failed'].includes(order.state)) return { todo: null, steps: [] };
  const said = order.state === 'authorized' ? 'it was charged' : 'they paid';
  return {
    todo: `If the customer says that ${said}, ask ${order.provider}: it knows of payments whose webhook never came.`,
    steps: [also('ask')],
  };
}

const canAsk = ({ order }: WaitingOrder): boolean => order.provider !== null && order.providerOrderId !== null;

/** In words that stay true whatever happens next. */
function customerWords(about: WaitingOrder): Words | null {
  const { order, live, stuck, grants, now } = about;
  if (stuck?.cause === 'snapshot_unreadable')
    return ['We are looking at your order by hand. Please do not pay again until you hear from us.'];
  const held = live ? heldWords(live.state.context) : null;
  switch (order.state) {
    case 'created':
      return ['No payment has reached us so far. If your bank shows one, please do not pay again: we look for it.'];
    case 'authorized':
      return ['Your bank has reserved the money; it is not taken yet. There is no need to pay again.'];
    case 'captured':
      return [`Your payment${held ? ` of ${held}` : ''} has arrived, and your access is on its way. Do not pay again.`];
    case 'parked':
      return held
        ? [
            `We have your payment of ${held}, which does not match the price of ${formatAmount(order.amountMinor, order.currency)}. It is safe. Please do not pay again until you hear from us.`,
          ]
        : ['We are finding out what became of your payment. Please do not pay again until you hear from us.'];
    case 'failed':
      return ['The payment did not go through, and we hold no money for this order. You can pay again.'];
    case 'refunded':
      return ['The money went back, and the access that it gave has ended. Banks take some days to show it.'];
    case 'subscribed': {
      const grant = grants.find(({ orderId }) => orderId === order.id);
      if (!grant || grant.endsAt <= now.toISOString()) return null;
      return ['Your payment has arrived, and you have access until ', { at: grant.endsAt }, '.'];
    }
    default:
      return null;
  }
}

function heldWords({ payments }: OrderContext): string | null {
  const held = payments.filter(payment => heldMinor(payment) > 0);
  if (held.length === 0) return null;
  return held.map(payment => formatAmount(heldMinor(payment), payment.currency)).join(' and ');
}
