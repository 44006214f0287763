// Plans: what is sold. Changing one never changes an order, which keeps the plan as it was bought.
import type { Database, Row } from './client.ts';

export type PlanRow = {
  id: string;
  product: string;
  amountMinor: number;
  currency: string;
  months: number;
  days: number;
  graceDays: number;
  trialDays: number;
  surplusPolicy: 'refund' | 'extend' | 'hold';
  createdAt: Date;
  updatedAt: Date;
};

const COLUMNS = `id, product, amount_minor, currency, months, days, grace_days, trial_days, surplus_policy, created_at, updated_at`;

export async function putPlan(db: Database, plan: Omit<PlanRow, 'createdAt' | 'updatedAt'>): Promise<PlanRow> {
  const [row] = await db.query<Row>(
    `with written as (
       insert into plans (id, product, amount_minor, currency, months, days, grace_days, trial_days, surplus_policy)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (id) do update set product = excluded.product, amount_minor = excluded.amount_minor, currency = excluded.currency,
         months = excluded.months, days = excluded.days, grace_days = excluded.grace_days, trial_days = excluded.trial_days,
         surplus_policy = excluded.surplus_policy, updated_at = now()
       returning ${COLUMNS})
     select ${COLUMNS} from written`,
    [
      plan.id,
      plan.product,
      plan.amountMinor,
      plan.currency,
      plan.months,
      plan.days,
      plan.graceDays,
      plan.trialDays,
      plan.surplusPolicy,
    ],
  );
  if (!row) throw new Error(`plan ${plan.id} was not written`);
  return planRow(row);
}

export async function readPlan(db: Database, id: string): Promise<PlanRow | null> {
  const [row] = await db.query<Row>(`select ${COLUMNS} from plans where id = $1`, [id]);
  return row ? planRow(row) : null;
}

export async function listPlans(db: Database): Promise<PlanRow[]> {
  return (await db.query<Row>(`select ${COLUMNS} from plans order by id`, [])).map(planRow);
}

function planRow(row: Row): PlanRow {
  return {
    id: row.id as string,
    product: row.product as string,
    amountMinor: Number(row.amount_minor),
    currency: row.currency as string,
    months: row.months as number,
    days: row.days as number,
    graceDays: row.grace_days as number,
    trialDays: row.trial_days as number,
    surplusPolicy: row.surplus_policy as PlanRow['surplusPolicy'],
    createdAt: row.created_at as Date,
    updatedAt: row.updated_at as Date,
  };
}
