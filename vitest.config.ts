import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Tiers stand in the file names; a project per tier lets scripts pick one without listing files.
export default defineConfig({
  test: {
    // Most of a test's time is waiting: for the database, for processes that start and stop.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    projects: [
      { test: { name: 'unit', include: ['test/**/*.unit.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'int',
          include: ['test/**/*.int.test.ts', 'test/**/*.fault.test.ts', 'test/**/*.e2e.test.ts'],
          globalSetup: ['test/support/postgresServer.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
