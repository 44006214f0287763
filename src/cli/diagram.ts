// Compares the order's diagram in the documents with the chart, or draws it anew: node --import tsx src/cli/diagram.ts [--write]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withDiagram } from '../../machines/diagram.ts';

const root = new URL('../../', import.meta.url);
const documents = ['README.md', 'docs/order-machine.md'].filter(name => existsSync(new URL(name, root)));
const write = process.argv.includes('--write');

for (const name of documents) {
  const path = fileURLToPath(new URL(name, root));
  const document = readFileSync(path, 'utf8');
  const drawn = withDiagram(document);
  if (drawn === document) continue;
  if (write) {
    writeFileSync(path, drawn);
    console.log(`${name}: drawn anew`);
  } else {
    console.error(`${name}: the diagram is not the chart's; run this with --write`);
    process.exitCode = 1;
  }
}
