import type { PrismaClient } from './generated/prisma/client.ts';
import { setBemiContext } from './lib/audit/bemi-context.ts';

/**
 * Test 1 of the set-up guide: creates, updates and deletes a patient.
 *
 * @returns the patient's id.
 */
export async function testBemi(prisma: PrismaClient): Promise<string> {
  setBemiContext({
    userId: 'test_user_123',
    role: 'PHYSICIAN',
    ipAddress: '192.168.1.100',
    userAgent: 'Test Script',
    endpoint: '/test',
    accessReason: 'Testing Bemi replication',
  });

  const patient = await prisma.patient.create({
    data: {
      firstName: 'Test',
      lastName: 'Patient',
      dateOfBirth: new Date('1990-01-01'),
      gender: 'MALE',
      email: 'test@example.com',
      phone: '+1234567890',
    },
  });
  await prisma.patient.update({ where: { id: patient.id }, data: { firstName: 'Updated' } });
  await prisma.patient.delete({ where: { id: patient.id } });
  return patient.id;
}
