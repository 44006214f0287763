// GET /inspector: everything at a glance.
import { type Overview, readOverview, SPANS, type Span } from '../../../db/inspect/overview.ts';
import { KNOWN_MACHINE_IDS } from '../../../machines/versions.ts';
import { SANDBOX_PROVIDER } from '../../providers/sandbox/adapter.ts';
import { type InspectorApp, type InspectorDeps, renderPage } from '../page.ts';
import { overviewPage } from './overviewPage.ts';

const DEFAULT_SPAN: Span = '24h';

/** Adds the overview. `?span=` is 24h or 30d. */
export function addOverview(app: InspectorApp, { db, core, clock }: InspectorDeps): void {
  app.get('/', async c => {
    const overview: Overview = await readOverview(db, {
      now: clock(),
      span: spanOf(c.req.query('span')),
      machines: KNOWN_MACHINE_IDS,
      providers: [...core.providers.keys()],
    });
    const listings = await core.reconciliation.progress();
    // Only a new installation is told what to begin with.
    const plans = overview.states.length === 0 ? await core.plans.list() : [];
    const beginning = { hasPlans: plans.length > 0, hasShop: core.providers.has(SANDBOX_PROVIDER) };
    const main = overviewPage({ overview, listings, beginning });
    return renderPage(c, { title: 'Overview', nav: 'overview', main, live: {} });
  });
}

/** A link somebody edited shows the default instead of an error. */
function spanOf(asked: string | undefined): Span {
  return asked !== undefined && Object.hasOwn(SPANS, asked) ? (asked as Span) : DEFAULT_SPAN;
}
