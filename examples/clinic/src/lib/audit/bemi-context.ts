import { bemiContext } from '@bemi-db/context/express';
import type { Request } from 'express';

// biome-ignore lint/performance/noBarrelFile: where the application's own code looks for it.
export { setBemiContext } from '@bemi-db/context';

/**
 * Who asks, from where and why. The user, their role and the reason come in headers that the clinic's sign-in
 * proxy sets: X-User-Id, X-User-Role, X-Access-Reason. The address is the first one in X-Forwarded-For that the
 * proxy vouches for.
 */
export const requestContext = bemiContext((request: Request) => ({
  userId: request.get('X-User-Id'),
  role: request.get('X-User-Role'),
  ipAddress: request.ip,
  userAgent: request.get('User-Agent'),
  endpoint: `${request.method} ${request.path}`,
  accessReason: request.get('X-Access-Reason'),
}));
