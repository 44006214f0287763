// Integrity equality 3 as one statement: the live grants of every subscription, folded in `seq` order by the database
// itself, are the periods written on the grants and the dates of the subscription row.

/**
 * Answers one row for each thing that is wrong, none when all is well: `what` is `subscription` (its dates are not the
 * fold, or its count not that of its grants), `grant` (its period is not the fold's, or its subscription is missing) or
 * `seq` (numbers that are not 1, 2, … without a gap). It only reads, takes no parameter and gives the same answer in
 * every session time zone: months are counted on UTC wall-clock timestamps, days as 24 hours each. The only date
 * arithmetic in SQL, written apart from machines/periods.ts so that each checks the other.
 */
export const FOLD_CHECK = `
with recursive live as (
  select g.*, row_number() over (partition by user_id, product order by seq) as k
  from grants g
  where revoked_at is null
), fold as (
  select user_id, product, 0::bigint as k, null::text as order_id,
         null::timestamptz as starts_at, null::timestamptz as ends_at,
         null::timestamp as anchor, 0 as anchor_months, 0 as grace_days
  from subscriptions
  union all
  select l.user_id, l.product, l.k, l.order_id, begun.starts_at, counted.ends_at,
         case when l.days > 0 then counted.ends_at at time zone 'UTC' else begun.anchor end,
         case when l.days > 0 then 0 else begun.anchor_months + l.months end,
         l.grace_days
  from fold f
  join live l on l.user_id = f.user_id and l.product = f.product and l.k = f.k + 1
  -- Paid before the grace of what is there has ended: it goes on. Otherwise it starts anew.
  cross join lateral (
    select coalesce(l.base_at < f.ends_at + make_interval(hours => 24 * f.grace_days), false) as goes_on
  ) t
  cross join lateral (
    select case when t.goes_on then f.ends_at else l.base_at end as starts_at,
           case when t.goes_on then f.anchor else l.base_at at time zone 'UTC' end as anchor,
           case when t.goes_on then f.anchor_months else 0 end as anchor_months
  ) begun
  cross join lateral (
    select case when l.months > 0
                then (begun.anchor + make_interval(months => begun.anchor_months + l.months)) at time zone 'UTC'
                else begun.starts_at
           end + make_interval(hours => 24 * l.days) as ends_at
  ) counted
), last as (
  select distinct on (user_id, product) * from fold order by user_id, product, k desc
), numbered as (
  select user_id, product, count(*) as grants, min(seq) as first_seq, max(seq) as last_seq from grants group by user_id, product
)
select 'subscription' as what, s.user_id, s.product, null::text as order_id
from subscriptions s
join last f using (user_id, product)
left join numbered n using (user_id, product)
where (s.ends_at, s.anchor_at, s.anchor_months, s.grace_days)
        is distinct from (f.ends_at, f.anchor at time zone 'UTC', f.anchor_months, f.grace_days)
   or s.grants <> coalesce(n.grants, 0)
union all
select 'grant', l.user_id, l.product, l.order_id
from live l
left join fold f on f.user_id = l.user_id and f.product = l.product and f.order_id = l.order_id
where (l.starts_at, l.ends_at) is distinct from (f.starts_at, f.ends_at)
union all
select 'seq', user_id, product, null
from numbered
where grants <> last_seq or first_seq <> 1`;
