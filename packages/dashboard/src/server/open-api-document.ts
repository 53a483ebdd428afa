import type { OpenAPIHono } from '@hono/zod-openapi';
import type { DashboardEnvironment } from './guarded-route.ts';

/** `GET /api/v1/openapi.json`: every route above this call, with the permission that it asks for as `x-permission`. */
export function openApiDocument(app: OpenAPIHono<DashboardEnvironment>, version: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: 'bemi.session_token',
    description: 'Set by signing in',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'bemi_ak_…',
    description: 'An API key',
  });
  app.doc31('/api/v1/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Bemi',
      version,
      description: 'Who changed what, when, from where and why: the audit trail of PostgreSQL databases.',
    },
  });
}
