import { defineConfig } from 'drizzle-kit';

// Migrations are generated from db/schema/, read, committed and only ever added to.
export default defineConfig({
  dialect: 'postgresql',
  schema: './db/schema/*.ts',
  out: './db/migrations',
  breakpoints: true,
});
