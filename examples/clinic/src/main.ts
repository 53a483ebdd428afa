import { migrate } from './migrate.ts';
import { startClinic } from './server.ts';

const databaseUrl = process.env['DATABASE_URL'];
if (!databaseUrl) {
  console.error('Set DATABASE_URL to the URL of a PostgreSQL database.');
  process.exit(2);
}
await migrate(databaseUrl);
const clinic = await startClinic({
  databaseUrl,
  audit: process.env['ENABLE_BEMI_AUDIT'] === 'true',
  port: Number(process.env['PORT'] ?? 3000),
});
console.log(`The clinic is at ${clinic.url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void clinic.close());
