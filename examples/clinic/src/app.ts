import express, { type Express } from 'express';
import { errorResponse } from './error-response.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import { requestContext } from './lib/audit/bemi-context.ts';
import { createPrisma } from './lib/prisma.ts';
import { patientRoutes } from './routes/patients.ts';
import { prescriptionRoutes } from './routes/prescriptions.ts';
import { userRoutes } from './routes/users.ts';

export interface ClinicOptions {
  /** The clinic's database, with its tables made (see `migrate`). */
  readonly databaseUrl: string;
  /** Whether writes carry their context. Default true. */
  readonly audit?: boolean;
}

export interface Clinic {
  readonly app: Express;
  readonly prisma: PrismaClient;
  /** Closes the connections to the database. */
  close(): Promise<void>;
}

/** The clinic's API: patients, prescriptions, users. */
export function createApp({ databaseUrl, audit = true }: ClinicOptions): Clinic {
  const prisma = createPrisma(databaseUrl, audit);
  const app = express();
  app.disable('x-powered-by');
  // The sign-in proxy runs beside the application.
  app.set('trust proxy', 'loopback');
  app.use(express.json());
  app.use(requestContext);
  app.use('/patients', patientRoutes(prisma));
  app.use('/prescriptions', prescriptionRoutes(prisma));
  app.use('/users', userRoutes(prisma));
  app.use(errorResponse);
  return { app, prisma, close: () => prisma.$disconnect() };
}
