// What the pages ask the database: all of them are looked at, and each text they asked is kept once, with the values that
// took longest, which are those to be explained.
import type { Page } from './inspectorPages.ts';
import type { Statement } from './inspectorPlans.ts';
import type { Asked } from './inspectorService.ts';
import type { Visitor } from './inspectorVisitor.ts';

export type AskedBy = { page: string; asked: readonly Asked[] };

export type Looking = {
  pages: readonly Page[];
  visitor: Visitor;
  /** What was asked since it was called before. */
  taken: () => Asked[] | Promise<Asked[]>;
  /** Looks at each page, with other ids each time. */
  turns: number;
};

/** Looks at each page one by one, and listens to what open pages listen to. */
export async function askedBy({ pages, visitor, taken, turns }: Looking): Promise<AskedBy[]> {
  const asked: AskedBy[] = [];
  await taken();
  for (let turn = 0; turn < turns; turn++) {
    for (const page of pages) {
      const { status } = await visitor.look(page.address(turn), page.headers);
      if (status >= 400 && status !== 404) throw new Error(`${page.address(turn)} answered ${status}`);
      asked.push({ page: `${page.group}: ${page.name}`, asked: await taken() });
    }
  }
  const order = pages
    .find(({ name }) => name === 'its page')
    ?.address(0)
    .split('/')
    .at(-1);
  for (const live of ['/inspector/live', `/inspector/live?order=${order}`]) {
    await visitor.listen(live);
    asked.push({ page: 'what listens', asked: await taken() });
  }
  return asked;
}

export function statementsOf(pages: readonly AskedBy[]): Statement[] {
  const slowest = new Map<string, Statement>();
  for (const { page, asked } of pages) {
    for (const { text, params, ms } of asked) {
      const known = slowest.get(text);
      if (!known || ms > known.ms) slowest.set(text, { text, params, ms, page });
    }
  }
  return [...slowest.values()];
}
