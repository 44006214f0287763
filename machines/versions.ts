// Every chart that an order in some database may still live on, by machine id. An old chart stays here until no order
// lives on it; orders whose chart is missing are shown as stuck and their events are kept.
import { ORDER_MACHINE_ID, orderChart } from './order.ts';

const charts: Readonly<Record<string, typeof orderChart>> = { [ORDER_MACHINE_ID]: orderChart };

/** The chart new orders are made on. */
export const CURRENT_MACHINE_ID = ORDER_MACHINE_ID;

/** Orders on any other chart are not touched here. */
export const KNOWN_MACHINE_IDS: readonly string[] = Object.keys(charts);

export function chartOf(machineId: string): typeof orderChart | undefined {
  return Object.hasOwn(charts, machineId) ? charts[machineId] : undefined;
}
