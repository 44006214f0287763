// The states of an order by name, in the order an order lives. They stand apart from the chart so that whoever validates
// or lists a state can name it without loading the machine.
export const ORDER_STATES = [
  'created',
  'authorized',
  'captured',
  'subscribed',
  'failed',
  'parked',
  'refunded',
] as const;
export type OrderStateName = (typeof ORDER_STATES)[number];
