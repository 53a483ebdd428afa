import { betterAuth } from 'better-auth';
import { genericOAuth, twoFactor } from 'better-auth/plugins';
import { PostgresDialect } from 'kysely';
import type { Role } from '../../api/permission.ts';
import type { AccountsDatabase } from './accounts-database.ts';
import { longestPassword, shortestPassword } from './password-rule.ts';

/** An OpenID Connect provider that people sign in with. */
export interface SingleSignOn {
  /** As in its tokens, such as `https://login.example.com/realms/clinic`. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of whoever signs in for the first time; without one they wait for an admin. */
  readonly defaultRole: Role | undefined;
}

export interface AuthenticationOptions {
  readonly database: AccountsDatabase;
  /** At least 32 characters that nobody can guess. */
  readonly secret: string;
  /** Where people reach the pages. */
  readonly publicUrl: string;
  readonly singleSignOn: SingleSignOn | undefined;
}

export const singleSignOnId = 'oidc';
export const authPath = '/api/v1/auth';
/** Ours alone: what a client sends in it is overwritten. */
export const addressHeader = 'x-bemi-address';
const week = 7 * 24 * 60 * 60;

/**
 * Sessions, passwords, second factors and single sign-on, by better-auth. Its own routes are not served, but for the way
 * back from single sign-on: ours call it, so that each is declared, limited and recorded like any other.
 */
export function createAuthentication({ database, secret, publicUrl, singleSignOn }: AuthenticationOptions) {
  const isSecure = new URL(publicUrl).protocol === 'https:';
  return betterAuth({
    appName: 'Bemi',
    baseURL: publicUrl,
    basePath: authPath,
    secret,
    database: {
      dialect: new PostgresDialect({ pool: database.pool }),
      type: 'postgres',
      schemaName: 'bemi_accounts',
      transaction: true,
    },
    user: {
      modelName: 'people',
      fields: { emailVerified: 'email_verified', createdAt: 'created_at', updatedAt: 'updated_at' },
      additionalFields: { role: { type: 'string', required: false, input: false } },
    },
    account: {
      modelName: 'credentials',
      fields: {
        ...{ userId: 'person_id', providerId: 'provider_id', accountId: 'account_id' },
        ...{ accessToken: 'access_token', refreshToken: 'refresh_token', idToken: 'id_token' },
        ...{
          accessTokenExpiresAt: 'access_token_expires_at',
          refreshTokenExpiresAt: 'refresh_token_expires_at',
        },
        ...{ createdAt: 'created_at', updatedAt: 'updated_at' },
      },
      encryptOAuthTokens: true,
    },
    session: {
      modelName: 'sessions',
      fields: {
        ...{ userId: 'person_id', expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' },
        ...{ ipAddress: 'ip_address', userAgent: 'user_agent' },
      },
      // However much it is used. An idle one ends earlier: principalOfSession.
      expiresIn: week,
      disableSessionRefresh: true,
    },
    verification: {
      modelName: 'verifications',
      fields: { expiresAt: 'expires_at', createdAt: 'created_at', updatedAt: 'updated_at' },
      storeIdentifier: 'hashed',
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: shortestPassword,
      maxPasswordLength: longestPassword,
    },
    databaseHooks: {
      user: {
        create: {
          before: async (user) => ({ data: { ...user, role: singleSignOn?.defaultRole ?? null } }),
        },
      },
    },
    plugins: [
      twoFactor({
        issuer: 'Bemi',
        schema: {
          user: { fields: { twoFactorEnabled: 'two_factor_enabled' } },
          twoFactor: {
            modelName: 'second_factors',
            fields: {
              ...{ userId: 'person_id', backupCodes: 'backup_codes', lockedUntil: 'locked_until' },
              failedVerificationCount: 'failed_verification_count',
            },
          },
        },
      }),
      ...(singleSignOn ? [genericOAuth({ config: [oidc(singleSignOn)] })] : []),
    ],
    advanced: {
      // A name that begins so is taken from https alone, for this host alone.
      cookiePrefix: isSecure ? '__Host-bemi' : 'bemi',
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/', secure: isSecure },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    // Limits are counted in the database: attempts.ts. Nothing here goes to a log: it might name people.
    rateLimit: { enabled: false },
    logger: { disabled: true },
    telemetry: { enabled: false },
  });
}

export type Authentication = ReturnType<typeof createAuthentication>;

function oidc({ issuer, clientId, clientSecret }: SingleSignOn) {
  return {
    ...{ providerId: singleSignOnId, clientId, clientSecret, pkce: true },
    discoveryUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    scopes: ['openid', 'email', 'profile'],
    requireIdTokenVerification: true,
  };
}
