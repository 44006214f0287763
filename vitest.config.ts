import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Only ends what hangs, in ms: beside other programs a test may take ten times as long as alone. */
const HANGS_MS = 300_000;

// Tiers stand in the file names; a project per tier lets scripts pick one without listing files.
export default defineConfig({
  test: {
    // More than cores, because half of a test's time is waiting; twice as many were no faster.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    projects: [
      // Nothing they touch outlives a test: one process for many files, which then load the same modules once.
      { test: { name: 'unit', include: ['test/**/*.unit.test.ts'], testTimeout: HANGS_MS, isolate: false } },
      {
        test: {
          name: 'int',
          include: ['test/**/*.int.test.ts', 'test/**/*.fault.test.ts', 'test/**/*.e2e.test.ts'],
          globalSetup: ['test/support/runFolder.ts', 'test/support/postgresServer.ts'],
          testTimeout: HANGS_MS,
          hookTimeout: HANGS_MS,
        },
      },
    ],
  },
});
