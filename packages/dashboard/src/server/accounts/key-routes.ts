import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { apiKeySchema, apiKeyWantedSchema, madeKeySchema } from '../../api/account.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import type { AccountServices } from './account-services.ts';
import { makeKey } from './api-keys.ts';
import { listKeys } from './people.ts';

const tags = ['API keys'];

/** `/api/v1/accounts/keys`: keys for programs that ask the API. */
export function keyRoutes(app: OpenAPIHono<DashboardEnvironment>, services: AccountServices): void {
  const { database } = services;

  const list = guarded('accounts:write', {
    ...{ method: 'get', path: '/api/v1/accounts/keys', tags, summary: 'All API keys, without their secrets' },
    responses: {
      200: json(z.object({ keys: z.array(apiKeySchema) }), 'The newest first, revoked ones last'),
    },
  });
  app.openapi(list, async (c) => c.json({ keys: await listKeys(database) }, 200));

  const make = guarded('accounts:write', {
    ...{ method: 'post', path: '/api/v1/accounts/keys', tags, summary: 'Make an API key' },
    request: { body: { required: true, content: { 'application/json': { schema: apiKeyWantedSchema } } } },
    responses: { 200: json(madeKeySchema, 'The key. It is shown this once') },
  });
  app.openapi(make, async (c) => {
    const { name, role, tables, days } = c.req.valid('json');
    const { id, key, hash } = makeKey();
    await database.transaction(async (client) => {
      await client.query(
        `INSERT INTO bemi_accounts.api_keys (id, key_hash, name, role, tables, created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))`,
        [id, hash, name, role, tables, c.get('principal').name, days],
      );
      await services.recordChange({ what: 'key', subject: id, action: `created-${role}`, ...askerOf(c) });
    });
    return c.json({ id, key }, 200);
  });

  const revoke = guarded('accounts:write', {
    ...{ method: 'delete', path: '/api/v1/accounts/keys/{id}', tags, summary: 'Revoke an API key' },
    description: 'It works no more from now on.',
    request: { params: z.object({ id: z.string() }) },
    responses: { 204: { description: 'Revoked' } },
  });
  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid('param');
    await database.transaction(async (client) => {
      const { rowCount } = await client.query(
        'UPDATE bemi_accounts.api_keys SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL',
        [id],
      );
      if (rowCount === 0)
        throw new ApiProblem(404, 'unknown-key', 'There is no such key, or it was revoked before');
      await services.recordChange({ what: 'key', subject: id, action: 'revoked', ...askerOf(c) });
    });
    return c.body(null, 204);
  });
}
