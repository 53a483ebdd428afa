import type { OpenAPIHono } from '@hono/zod-openapi';
import { rolePermissions } from '../../api/permission.ts';
import { type Session, sessionSchema } from '../../api/session.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';

/** `GET /api/v1/session`: who asks, and what they may do. */
export function sessionRoute(
  app: OpenAPIHono<DashboardEnvironment>,
  server: Pick<Session, 'hasAccounts' | 'version'>,
): void {
  const route = guarded('self', {
    method: 'get',
    path: '/api/v1/session',
    tags: ['Session'],
    summary: 'Who am I',
    responses: { 200: json(sessionSchema, 'Who asks, and what they may do') },
  });
  app.openapi(route, (c) => {
    const { name, email = null, kind, role, tables } = c.get('principal');
    const session = {
      ...{ name, email, kind, role, ...server },
      permissions: [...rolePermissions[role]],
      tables: tables === undefined ? null : [...tables],
    };
    return c.json(session, 200);
  });
}
