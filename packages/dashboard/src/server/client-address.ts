import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import proxyAddress from 'proxy-addr';
import type { DashboardEnvironment } from './guarded-route.ts';

/** What is set as a proxy is neither an address nor a network. */
export class TrustedProxyError extends Error {
  override readonly name = 'TrustedProxyError';
}

/**
 * Says where a request comes from: the address of its connection or, where that is a proxy that is trusted, the last one of
 * `X-Forwarded-For` that is not such a proxy's. Anybody may send that header; what nobody who is trusted has written is not
 * believed.
 *
 * @param trusted - addresses, networks such as `10.0.0.0/8`, or `loopback`, `linklocal`, `uniquelocal`.
 * @throws TrustedProxyError
 */
export function clientAddress(trusted: readonly string[]): MiddlewareHandler<DashboardEnvironment> {
  const isTrusted = compiled(trusted);
  return async (c, next) => {
    const { incoming } = (c.env ?? {}) as { readonly incoming?: IncomingMessage };
    const address = incoming && addressBehind(incoming, isTrusted);
    if (address !== undefined) c.set('address', address);
    await next();
  };
}

/** Throws where one of them can't be meant. */
export function checkTrustedProxies(trusted: readonly string[]): void {
  compiled(trusted);
}

type IsTrusted = ReturnType<typeof proxyAddress.compile>;

function compiled(trusted: readonly string[]): IsTrusted {
  try {
    return proxyAddress.compile([...trusted]);
  } catch (error) {
    throw new TrustedProxyError(error instanceof Error ? error.message : String(error));
  }
}

function addressBehind(incoming: IncomingMessage, isTrusted: IsTrusted): string | undefined {
  const { remoteAddress } = incoming.socket;
  if (remoteAddress === undefined) return undefined;
  const address = proxyAddress(incoming, isTrusted);
  return isIP(address) ? address : remoteAddress;
}
