import type { ErrorRequestHandler } from 'express';
import { Prisma } from './generated/prisma/client.ts';
import { InvalidRequest } from './request-body.ts';

/** Prisma's codes: https://www.prisma.io/docs/orm/reference/error-reference */
const STATUS_BY_PRISMA_CODE: Readonly<Record<string, number>> = {
  P2002: 409,
  P2003: 409,
  P2025: 404,
};

/** Answers an error with a status and a JSON object `{ error }`. */
export const errorResponse: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = statusOf(error);
  if (status === 500) console.error(error);
  response.status(status).json({ error: messageOf(error, status) });
};

function statusOf(error: unknown): number {
  if (error instanceof InvalidRequest) return 400;
  if (error instanceof Prisma.PrismaClientKnownRequestError) return STATUS_BY_PRISMA_CODE[error.code] ?? 500;
  // Express's own parsers say which status they mean.
  if (error instanceof Error && 'status' in error && typeof error.status === 'number') return error.status;
  return 500;
}

function messageOf(error: unknown, status: number): string {
  if (status === 404) return 'There is no such record.';
  if (status === 409) return 'That is in conflict with another record.';
  return error instanceof Error && status < 500 ? error.message : 'Something went wrong.';
}
