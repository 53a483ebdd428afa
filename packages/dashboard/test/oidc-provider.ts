import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Claims of whoever signs in next; with `forged`, in a token that another key signed. */
  person: { sub: string; email: string; email_verified: boolean; name: string; forged?: boolean };
}

/** An OpenID Connect provider that lets in whoever it is told to: code flow with PKCE, RS256 (OpenID Connect Core 1.0, 3.1). */
export async function serveOidcProvider(): Promise<OidcProvider> {
  const [key, otherKey] = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const asked = new Map<string, URLSearchParams>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, provider.issuer);
    const json = (body: object, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer: provider.issuer,
          authorization_endpoint: `${provider.issuer}/authorize`,
          token_endpoint: `${provider.issuer}/token`,
          jwks_uri: `${provider.issuer}/jwks`,
          id_token_signing_alg_values_supported: ['RS256'],
        });
      case '/jwks':
        return json({
          keys: [{ ...key!.publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256', use: 'sig' }],
        });
      case '/authorize': {
        const code = randomBytes(16).toString('hex');
        asked.set(code, url.searchParams);
        const back = new URL(url.searchParams.get('redirect_uri')!);
        back.search = new URLSearchParams({ code, state: url.searchParams.get('state')! }).toString();
        return response.writeHead(302, { location: back.href }).end();
      }
      case '/token': {
        const form = new URLSearchParams(await textOf(request));
        const first = asked.get(form.get('code') ?? '');
        asked.delete(form.get('code') ?? '');
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        const isRight =
          first?.get('code_challenge') === challenge && secretOf(request, form) === provider.clientSecret;
        if (!isRight) return json({ error: 'invalid_grant' }, 400);
        const { forged = false, ...claims } = provider.person;
        const now = Math.floor(Date.now() / 1000);
        const nonce = first.get('nonce');
        const token = { ...claims, iss: provider.issuer, aud: provider.clientId, iat: now, exp: now + 300 };
        const signing = (forged ? otherKey! : key!).privateKey;
        const [head, body] = [
          { alg: 'RS256', kid: '1' },
          { ...token, ...(nonce ? { nonce } : {}) },
        ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
        const signature = createSign('RSA-SHA256').update(`${head}.${body}`).sign(signing, 'base64url');
        const id_token = `${head}.${body}.${signature}`;
        return json({ access_token: 'x', token_type: 'Bearer', expires_in: 300, id_token });
      }
      default:
        return json({}, 404);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const provider: OidcProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ clientId: 'bemi', clientSecret: 'a secret of the test' },
    person: { sub: '1', email: 'mary@clinic.example', email_verified: true, name: 'Mary' },
  };
  return provider;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}

/** In the form, or as a password (RFC 6749, 2.3.1). */
function secretOf({ headers }: IncomingMessage, form: URLSearchParams): string | null {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1];
  if (basic === undefined) return form.get('client_secret');
  const [, secret = ''] = Buffer.from(basic, 'base64').toString().split(':');
  return decodeURIComponent(secret.replaceAll('+', ' '));
}
