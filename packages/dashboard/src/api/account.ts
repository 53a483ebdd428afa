import { parseNamePattern } from '@bemi-db/trail/rules/name-pattern';
import { z } from '@hono/zod-openapi';
import { roles } from './permission.ts';

const email = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase())
  .openapi({ example: 'ada@clinic.example' });
const personName = z.string().trim().min(1).max(200);
/** How long it has to be is said in words of its own: the server has more rules than length. */
const password = z.string().min(1).max(1024);
const moment = z.string().openapi({ format: 'date-time' });
const role = z.enum(roles);

const pattern = z
  .string()
  .refine(
    (text) => typeof parseNamePattern(text, 'table') !== 'string',
    'write schema.table, with * for any characters',
  );
const tables = z
  .array(pattern)
  .min(1)
  .max(200)
  .nullable()
  .openapi({ description: 'Patterns of the tables that may be read; null for all', example: ['public.*'] });

/** Whoever gives roles could give himself what he lacks. */
const isPossible = (wanted: {
  readonly role?: string | null | undefined;
  readonly tables?: unknown;
}): boolean => wanted.role !== 'admin' || !wanted.tables;
const impossible = { message: 'an admin reads all tables', path: ['tables'] };

export const signInOptionsSchema = z
  .object({
    singleSignOn: z.boolean().openapi({ description: 'Whether a provider of single sign-on is configured' }),
    hasAdmin: z.boolean().openapi({ description: 'Whether there is anybody who could sign in' }),
    shortestPassword: z.number().int(),
  })
  .openapi('SignInOptions');
export type SignInOptions = z.infer<typeof signInOptionsSchema>;

export const passwordSignInSchema = z.object({ email, password }).openapi('PasswordSignIn');
export const signInStepSchema = z
  .object({ next: z.enum(['signed-in', 'second-factor']) })
  .openapi('SignInStep');
export type SignInStep = z.infer<typeof signInStepSchema>;
export const secondFactorSchema = z
  .object({ kind: z.enum(['totp', 'backup-code']), code: z.string().trim().min(6).max(40) })
  .openapi('SecondFactor');
export const singleSignOnSchema = z.object({ url: z.string() }).openapi('SingleSignOn');

const token = z.string().min(1).max(200);
export const linkTokenSchema = z.object({ token }).openapi('LinkToken');
export const oneTimeLinkSchema = z
  .object({
    kind: z.enum(['first-admin', 'invitation', 'reset']),
    email: z.string().nullable(),
    name: z.string().nullable(),
    role: role.nullable(),
  })
  .openapi('OneTimeLink');
export type OneTimeLink = z.infer<typeof oneTimeLinkSchema>;
export const acceptLinkSchema = z
  .object({ token, password, email: email.optional(), name: personName.optional() })
  .openapi('AcceptLink');

export const ownAccountSchema = z
  .object({
    email: z.string(),
    name: z.string(),
    hasPassword: z.boolean(),
    hasSecondFactor: z.boolean(),
    sessions: z.array(
      z.object({
        id: z.string(),
        isThis: z.boolean(),
        createdAt: moment,
        seenAt: moment,
        address: z.string().nullable(),
        userAgent: z.string().nullable(),
      }),
    ),
  })
  .openapi('OwnAccount');
export type OwnAccount = z.infer<typeof ownAccountSchema>;
export const passwordChangeSchema = z
  .object({ currentPassword: password, newPassword: password })
  .openapi('PasswordChange');
export const passwordOnlySchema = z.object({ password }).openapi('PasswordOnly');
export const totpSetupSchema = z
  .object({
    uri: z.string().openapi({ description: 'otpauth://…, for an authenticator' }),
    backupCodes: z.array(z.string()),
  })
  .openapi('TotpSetup');
export type TotpSetup = z.infer<typeof totpSetupSchema>;
export const totpCodeSchema = z.object({ code: z.string().trim().min(6).max(10) }).openapi('TotpCode');

export const personSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    role: role.nullable().openapi({ description: 'null: waits for one' }),
    tables,
    isDisabled: z.boolean(),
    hasPassword: z.boolean(),
    hasSingleSignOn: z.boolean(),
    hasSecondFactor: z.boolean(),
    createdAt: moment,
    lastSeenAt: moment.nullable(),
  })
  .openapi('Person');
export type Person = z.infer<typeof personSchema>;
export const personChangeSchema = z
  .object({ role: role.nullable(), tables, isDisabled: z.boolean() })
  .refine(isPossible, impossible)
  .openapi('PersonChange');
export type PersonChange = z.infer<typeof personChangeSchema>;

export const invitationSchema = z
  .object({
    id: z.string(),
    email: z.string(),
    name: z.string().nullable(),
    role,
    tables,
    createdAt: moment,
    expiresAt: moment,
  })
  .openapi('Invitation');
export type Invitation = z.infer<typeof invitationSchema>;
export const invitationWantedSchema = z
  .object({ email, name: personName.optional(), role, tables })
  .refine(isPossible, impossible)
  .openapi('InvitationWanted');
export type InvitationWanted = z.infer<typeof invitationWantedSchema>;
export const madeLinkSchema = z
  .object({
    id: z.string(),
    path: z.string().openapi({ description: 'Of the page, with the token. Shown once', example: '/join#…' }),
    expiresAt: moment,
  })
  .openapi('MadeLink');
export type MadeLink = z.infer<typeof madeLinkSchema>;

export const apiKeySchema = z
  .object({
    id: z.string().openapi({ description: 'The beginning of the key, behind bemi_ak_' }),
    name: z.string(),
    role,
    tables,
    createdAt: moment,
    createdBy: z.string(),
    expiresAt: moment.nullable(),
    lastUsedAt: moment.nullable(),
    revokedAt: moment.nullable(),
  })
  .openapi('ApiKey');
export type ApiKey = z.infer<typeof apiKeySchema>;
export const apiKeyWantedSchema = z
  .object({
    name: personName,
    role,
    tables,
    days: z
      .number()
      .int()
      .min(1)
      .max(3650)
      .nullable()
      .openapi({ description: 'From now until it expires; null for never' }),
  })
  .refine(isPossible, impossible)
  .openapi('ApiKeyWanted');
export type ApiKeyWanted = z.infer<typeof apiKeyWantedSchema>;
export const madeKeySchema = z
  .object({ id: z.string(), key: z.string().openapi({ description: 'Shown once', example: 'bemi_ak_…' }) })
  .openapi('MadeKey');
export type MadeKey = z.infer<typeof madeKeySchema>;
