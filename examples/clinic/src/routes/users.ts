import { Router } from 'express';
import type { PrismaClient } from '../generated/prisma/client.ts';
import { Role } from '../generated/prisma/enums.ts';
import { bodyOf, flag, oneOf, present, text } from '../request-body.ts';

const role = (body: Readonly<Record<string, unknown>>, field: string) => oneOf(body, field, Role);

export function userRoutes(prisma: PrismaClient): Router {
  const router = Router();

  router.get('/', async (_request, response) => {
    response.json(await prisma.user.findMany({ orderBy: { name: 'asc' } }));
  });

  router.post('/', async (request, response) => {
    const body = bodyOf(request.body);
    const data = { name: text(body, 'name'), email: text(body, 'email'), role: role(body, 'role') };
    response.status(201).json(await prisma.user.create({ data }));
  });

  router.patch('/:id', async (request, response) => {
    const data = present(bodyOf(request.body), { name: text, email: text, role, active: flag });
    response.json(await prisma.user.update({ where: { id: request.params.id }, data }));
  });

  return router;
}
