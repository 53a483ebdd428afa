import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/**
 * What a browser may do with our pages: run our own scripts and nothing inline, talk to us alone, and show us in no
 * frame. Components set sizes by `style` attributes, which is why styles are not as strict. A page that brings a policy of its
 * own keeps it.
 */
export function securityHeaders(): MiddlewareHandler {
  const set = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      fontSrc: ["'self'"],
      connectSrc: ["'self'"],
      manifestSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginResourcePolicy: 'same-origin',
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    // Whether a connection is by https is known to who ends TLS.
    strictTransportSecurity: false,
  });
  return async (c, next) => {
    let own: string | null = null;
    await set(c, async () => {
      await next();
      own = c.res.headers.get('content-security-policy');
    });
    if (own !== null) c.header('content-security-policy', own);
  };
}
