import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import {
  invitationSchema,
  invitationWantedSchema,
  madeLinkSchema,
  personChangeSchema,
  personSchema,
} from '../../api/account.ts';
import { problemSchema } from '../../api/problem.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import type { AccountServices } from './account-services.ts';
import { linkPath, type MadeLink, makeLink } from './one-time-link.ts';
import {
  changePerson,
  endSessions,
  findPerson,
  listInvitations,
  listPeople,
  removePerson,
} from './people.ts';

const body = <T>(schema: T) => ({ body: { required: true, content: { 'application/json': { schema } } } });
const oneOf = { params: z.object({ id: z.string() }) };
const done = { 204: { description: 'Done' } };
const conflict = { 409: json(problemSchema, 'It would leave nobody who may manage accounts') };
const people = ['People'];
const invitationHours = 7 * 24;
const resetHours = 24;

/** `/api/v1/accounts/people` and `…/invitations`: who may, and what. */
export function peopleRoutes(app: OpenAPIHono<DashboardEnvironment>, services: AccountServices): void {
  const { database } = services;
  const record = (c: Context<DashboardEnvironment>, subject: string, action: string) =>
    services.recordChange({ what: 'account', subject, action, ...askerOf(c) });

  const list = guarded('accounts:write', {
    ...{
      method: 'get',
      path: '/api/v1/accounts/people',
      tags: people,
      summary: 'Everybody who has an account',
    },
    responses: { 200: json(z.object({ people: z.array(personSchema) }), 'By name') },
  });
  app.openapi(list, async (c) => c.json({ people: await listPeople(database) }, 200));

  const change = guarded('accounts:write', {
    ...{ method: 'put', path: '/api/v1/accounts/people/{id}', tags: people },
    summary: 'Change what somebody may do',
    request: { ...oneOf, ...body(personChangeSchema) },
    responses: { 200: json(personSchema, 'As it is now'), ...conflict },
  });
  app.openapi(change, async (c) => {
    const { id } = c.req.valid('param');
    const person = await database.transaction(async (client) => {
      const wanted = c.req.valid('json');
      const before = await findPerson(client, id);
      await changePerson(client, id, wanted);
      const after = await findPerson(client, id);
      for (const action of whatChanged(before, after)) await record(c, id, action);
      return after;
    });
    return c.json(person, 200);
  });

  const remove = guarded('accounts:write', {
    ...{ method: 'delete', path: '/api/v1/accounts/people/{id}', tags: people, summary: 'Remove an account' },
    description: 'What they did stays in the log of accesses.',
    request: oneOf,
    responses: { ...done, ...conflict },
  });
  app.openapi(remove, async (c) => {
    const { id } = c.req.valid('param');
    await database.transaction(async (client) => {
      await removePerson(client, id);
      await record(c, id, 'removed');
    });
    return c.body(null, 204);
  });

  const signOut = guarded('accounts:write', {
    ...{ method: 'delete', path: '/api/v1/accounts/people/{id}/sessions', tags: people },
    summary: 'End all sessions of somebody',
    request: oneOf,
    responses: done,
  });
  app.openapi(signOut, async (c) => {
    const { id } = c.req.valid('param');
    await database.transaction(async (client) => {
      await findPerson(client, id);
      await endSessions(client, id);
      await record(c, id, 'sessions-ended');
    });
    return c.body(null, 204);
  });

  const reset = guarded('accounts:write', {
    ...{ method: 'post', path: '/api/v1/accounts/people/{id}/link', tags: people },
    summary: 'Make a link that sets a new password',
    description:
      'For whoever forgot it or lost the second factor: using it also takes that away. Good for a day.',
    request: oneOf,
    responses: { 200: json(madeLinkSchema, 'To be handed over') },
  });
  app.openapi(reset, async (c) => {
    const { id } = c.req.valid('param');
    const link = await database.transaction(async (client) => {
      const { email, name } = await findPerson(client, id);
      await client.query(`DELETE FROM bemi_accounts.links WHERE kind = 'reset' AND person_id = $1`, [id]);
      const made = await makeLink(client, {
        ...{ kind: 'reset', email, name, role: undefined, tables: undefined, personId: id },
        ...{ createdBy: c.get('principal').id, hours: resetHours },
      });
      await record(c, id, 'reset-link-made');
      return made;
    });
    return c.json(handedOver(link), 200);
  });

  const invitations = guarded('accounts:write', {
    ...{
      method: 'get',
      path: '/api/v1/accounts/invitations',
      tags: people,
      summary: 'Invitations that are open',
    },
    responses: { 200: json(z.object({ invitations: z.array(invitationSchema) }), 'The newest first') },
  });
  app.openapi(invitations, async (c) => c.json({ invitations: await listInvitations(database) }, 200));

  const invite = guarded('accounts:write', {
    ...{ method: 'post', path: '/api/v1/accounts/invitations', tags: people, summary: 'Invite somebody' },
    description: 'Nothing is sent: the link is to be handed over. Good for a week.',
    request: body(invitationWantedSchema),
    responses: {
      200: json(madeLinkSchema, 'To be handed over'),
      409: json(problemSchema, 'There is an account'),
    },
  });
  app.openapi(invite, async (c) => {
    const { email, name, role, tables } = c.req.valid('json');
    const link = await database.transaction(async (client) => {
      const { rowCount } = await client.query('SELECT FROM bemi_accounts.people WHERE email = $1', [email]);
      if (rowCount !== 0)
        throw new ApiProblem(
          409,
          'account-exists',
          'There is an account with this address',
          'Change its role.',
        );
      await client.query(`DELETE FROM bemi_accounts.links WHERE kind = 'invitation' AND email = $1`, [email]);
      const made = await makeLink(client, {
        ...{ kind: 'invitation', email, name, role, tables: tables ?? undefined, personId: undefined },
        ...{ createdBy: c.get('principal').id, hours: invitationHours },
      });
      await record(c, made.id, `invited-${role}`);
      return made;
    });
    return c.json(handedOver(link), 200);
  });

  const withdraw = guarded('accounts:write', {
    ...{
      method: 'delete',
      path: '/api/v1/accounts/invitations/{id}',
      tags: people,
      summary: 'Withdraw an invitation',
    },
    request: oneOf,
    responses: done,
  });
  app.openapi(withdraw, async (c) => {
    const { id } = c.req.valid('param');
    await database.transaction(async (client) => {
      const { rowCount } = await client.query(
        `DELETE FROM bemi_accounts.links WHERE id = $1 AND kind = 'invitation' AND used_at IS NULL`,
        [id],
      );
      if (rowCount === 0) throw new ApiProblem(404, 'unknown-invitation', 'There is no such invitation');
      await record(c, id, 'invitation-withdrawn');
    });
    return c.body(null, 204);
  });
}

function whatChanged(
  before: z.infer<typeof personSchema>,
  after: z.infer<typeof personSchema>,
): readonly string[] {
  return [
    ...(before.role === after.role ? [] : [`role-${after.role ?? 'none'}`]),
    ...(JSON.stringify(before.tables) === JSON.stringify(after.tables) ? [] : ['tables-changed']),
    ...(before.isDisabled === after.isDisabled ? [] : [after.isDisabled ? 'disabled' : 'enabled']),
  ];
}

function handedOver({ id, token, expiresAt }: MadeLink): z.infer<typeof madeLinkSchema> {
  return { id, path: linkPath(token), expiresAt: expiresAt.toISOString() };
}
