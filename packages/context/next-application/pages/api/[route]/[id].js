import { bemiContext } from '@bemi-db/context/next';
import { contextFor, visits } from '../../../visits.js';

const withContext = bemiContext((request) =>
  contextFor(new Headers(request.headers), `${request.method} ${request.url}`),
);

// biome-ignore lint/style/noDefaultExport: Next.js calls the default export.
export default withContext(async (request, response) => {
  await visits[request.query.route](Number(request.query.id));
  response.json({ ok: true });
});
