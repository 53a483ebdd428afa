import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Dashboard } from './create-dashboard.ts';

/** Answers requests of a `node:http` server, which others may share. */
export function requestListener(
  dashboard: Dashboard,
): (request: IncomingMessage, response: ServerResponse) => void {
  // Its own Request and Response stay the platform's: other code of this process uses those.
  const listener = getRequestListener(dashboard.fetch, { overrideGlobalObjects: false });
  return (request, response) => void listener(request, response);
}
