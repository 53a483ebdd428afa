import { bemiContext } from '@bemi-db/context/next';
import { contextFor, visits } from '../../../../visits.js';

const withContext = bemiContext((request) =>
  contextFor(request.headers, `${request.method} ${request.nextUrl.pathname}`),
);

export const POST = withContext(async (_request, { params }) => {
  const { route, id } = await params;
  await visits[route](Number(id));
  return Response.json({ ok: true });
});
