// What can be sent to an order, in words: as a title, as what it means, and as what the button says.
import type { SendableType } from '../../../machines/explain.ts';

export type EventWords = { title: string; means: string; button: string };

export const EVENT_WORDS: Readonly<Record<SendableType, EventWords>> = {
  'retry.requested': {
    title: 'Retry what failed',
    means: 'Runs again whatever failed or was left waiting, each under the key it had.',
    button: 'Retry now',
  },
  'refund.requested': {
    title: 'Send money back',
    means: 'Asks the provider to give captured money back to the customer.',
    button: 'Send it back',
  },
  'cancel.requested': {
    title: 'Cancel the order',
    means: 'Ends an order that is not paid, and closes it at the provider.',
    button: 'Cancel the order',
  },
  'payment.authorized': {
    title: 'A payment was authorized',
    means: 'The provider has reserved the money; it is captured next.',
    button: 'Record the authorization',
  },
  'payment.captured': {
    title: 'A payment was captured',
    means: 'The provider has the money. Where it pays for the order, access is given.',
    button: 'Record the capture',
  },
  'payment.failed': {
    title: 'A payment failed',
    means: 'An attempt to pay came to nothing.',
    button: 'Record the failure',
  },
  'payment.canceled': {
    title: 'A payment was canceled',
    means: 'The attempt was called off, by the customer or at the provider.',
    button: 'Record the cancellation',
  },
  'refund.updated': {
    title: 'A refund changed',
    means: 'Money is on its way back, has arrived there, or could not go.',
    button: 'Record the refund',
  },
  'dispute.updated': {
    title: 'A dispute changed',
    means: 'The customer’s bank has taken the money in question, or decided about it.',
    button: 'Record the dispute',
  },
};

/** What an operator asks for, most wanted first; and what the provider did, told by hand where its webhook never came. */
export const REQUESTS = ['retry.requested', 'refund.requested', 'cancel.requested'] as const satisfies SendableType[];
export const FACTS = [
  'payment.captured',
  'payment.authorized',
  'payment.failed',
  'payment.canceled',
  'refund.updated',
  'dispute.updated',
] as const satisfies SendableType[];

/** Verdicts after which nothing in the order's books is another. */
export const changesNothing = (verdict: string): boolean => !['applied', 'mismatch', 'surplus'].includes(verdict);
