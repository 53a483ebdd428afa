import { Router } from 'express';
import type { PrismaClient } from '../generated/prisma/client.ts';
import { Gender } from '../generated/prisma/enums.ts';
import { bodyOf, date, oneOf, optionalText, present, text, texts } from '../request-body.ts';

const gender = (body: Readonly<Record<string, unknown>>, field: string) => oneOf(body, field, Gender);

export function patientRoutes(prisma: PrismaClient): Router {
  const router = Router();

  router.get('/', async (_request, response) => {
    response.json(await prisma.patient.findMany({ orderBy: [{ lastName: 'asc' }, { firstName: 'asc' }] }));
  });

  router.get('/:id', async (request, response) => {
    const { id } = request.params;
    response.json(
      await prisma.patient.findUniqueOrThrow({ where: { id }, include: { prescriptions: true } }),
    );
  });

  router.post('/', async (request, response) => {
    const body = bodyOf(request.body);
    const patient = await prisma.patient.create({
      data: {
        firstName: text(body, 'firstName'),
        lastName: text(body, 'lastName'),
        dateOfBirth: date(body, 'dateOfBirth'),
        gender: gender(body, 'gender'),
        email: optionalText(body, 'email'),
        phone: optionalText(body, 'phone'),
        address: optionalText(body, 'address'),
        allergies: body['allergies'] === undefined ? [] : texts(body, 'allergies'),
      },
    });
    response.status(201).json(patient);
  });

  router.patch('/:id', async (request, response) => {
    const data = present(bodyOf(request.body), {
      firstName: text,
      lastName: text,
      dateOfBirth: date,
      gender,
      email: optionalText,
      phone: optionalText,
      address: optionalText,
      allergies: texts,
    });
    response.json(await prisma.patient.update({ where: { id: request.params.id }, data }));
  });

  router.delete('/:id', async (request, response) => {
    await prisma.patient.delete({ where: { id: request.params.id } });
    response.status(204).end();
  });

  return router;
}
