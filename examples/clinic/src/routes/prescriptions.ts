import { mergeBemiContext } from '@bemi-db/context';
import { Router } from 'express';
import type { PrismaClient } from '../generated/prisma/client.ts';
import { bodyOf, count, InvalidRequest, optionalText, text } from '../request-body.ts';

export function prescriptionRoutes(prisma: PrismaClient): Router {
  const router = Router();

  router.get('/', async (request, response) => {
    const { patientId } = request.query;
    const where = typeof patientId === 'string' ? { patientId } : {};
    response.json(await prisma.prescription.findMany({ where, orderBy: { createdAt: 'desc' } }));
  });

  router.post('/', async (request, response) => {
    const body = bodyOf(request.body);
    const prescription = await prisma.prescription.create({
      data: {
        medication: text(body, 'medication'),
        dosage: text(body, 'dosage'),
        instructions: optionalText(body, 'instructions'),
        quantity: text(body, 'quantity'),
        refills: body['refills'] === undefined ? 0 : count(body, 'refills'),
        patientId: text(body, 'patientId'),
        prescriberId: text(body, 'prescriberId'),
      },
    });
    response.status(201).json(prescription);
  });

  router.post('/:id/cancel', async (request, response) => {
    const { id } = request.params;
    // The reason for this very step, in place of the visit's.
    mergeBemiContext({ accessReason: text(bodyOf(request.body), 'reason') });
    const cancelled = await prisma.$transaction(async (transaction) => {
      const prescription = await transaction.prescription.findUniqueOrThrow({ where: { id } });
      if (prescription.status !== 'ACTIVE')
        throw new InvalidRequest('Only an active prescription can be cancelled.');
      return transaction.prescription.update({
        where: { id },
        data: { status: 'CANCELLED', cancelledAt: new Date() },
      });
    });
    response.json(cancelled);
  });

  return router;
}
