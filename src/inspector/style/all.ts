// The one stylesheet, put together: the shell and the parts first, then what single pages add.
import { ACT_STYLE } from './act.ts';
import { BASE_STYLE } from './base.ts';
import { CHART_STYLE } from './chart.ts';
import { EVENT_STYLE } from './event.ts';
import { ORDER_STYLE } from './order.ts';
import { ORDERS_STYLE } from './orders.ts';
import { OVERVIEW_STYLE } from './overview.ts';
import { PARTS_STYLE } from './parts.ts';
import { REPLAY_STYLE } from './replay.ts';
import { SHELL_STYLE } from './shell.ts';

export const INSPECTOR_STYLE: string = [
  BASE_STYLE,
  SHELL_STYLE,
  PARTS_STYLE,
  OVERVIEW_STYLE,
  ORDER_STYLE,
  ORDERS_STYLE,
  CHART_STYLE,
  REPLAY_STYLE,
  ACT_STYLE,
  EVENT_STYLE,
].join('\n');
