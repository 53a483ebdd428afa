import { bemiContext } from '@bemi-db/context/next';
import type { NextRequest } from 'next/server';
import { prisma } from '../../src/lib/prisma';

const withContext = bemiContext((request: NextRequest) => ({
  userId: request.headers.get('x-user-id'),
  endpoint: `${request.method} ${request.nextUrl.pathname}`,
}));

export const POST = withContext(async (request: NextRequest) => {
  const { dateOfBirth, ...data } = await request.json();
  const patient = await prisma.patient.create({ data: { ...data, dateOfBirth: new Date(dateOfBirth) } });
  return Response.json({ id: patient.id });
});

export const DELETE = withContext(async (request: NextRequest) => {
  const { id } = await request.json();
  await prisma.patient.delete({ where: { id } });
  return Response.json({ id });
});
