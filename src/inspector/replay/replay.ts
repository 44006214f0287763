// `/inspector/orders/{id}/replay?step=`: reads the life, walks it again, shows one step of it.
import { z } from 'zod';
import { readLife } from '../../../db/inspect/transitions.ts';
import { NotFound } from '../../errors.ts';
import { type InspectorApp, type InspectorDeps, renderPage } from '../page.ts';
import { MAX_STEPS, replayModel } from './model.ts';
import { replayMain } from './replayPage.ts';

/** A step that is no number is the last one: a link that was cut off still opens the page. */
const stepSchema = z.coerce.number().int().nullable().catch(null);

/** Adds the replay of one order. */
export function addReplay(app: InspectorApp, { db }: InspectorDeps): void {
  app.get('/orders/:id/replay', async c => {
    const id = c.req.param('id');
    const life = await readLife(db, id, MAX_STEPS);
    const model = life && replayModel(life, stepSchema.parse(c.req.query('step') ?? null));
    if (!model) throw new NotFound(`There is no order ${id}.`);
    return renderPage(c, { title: `Replay of ${id}, step ${model.step}`, nav: 'orders', main: replayMain(model) });
  });
}
