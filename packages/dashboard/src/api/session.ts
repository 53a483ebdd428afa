import { z } from '@hono/zod-openapi';
import { permissions, roles } from './permission.ts';

/** Whoever asks, as the server knows them. */
export const sessionSchema = z
  .object({
    name: z.string(),
    email: z.string().nullable(),
    kind: z.enum(['person', 'api-key']),
    role: z.enum(roles),
    permissions: z.array(z.enum(permissions)),
    tables: z
      .array(z.string())
      .nullable()
      .openapi({ description: 'Patterns of the tables they may read; null for all', example: ['public.*'] }),
    hasAccounts: z.boolean().openapi({
      description:
        'Whether this server keeps accounts and API keys. The demo asks for no sign-in, and has none.',
    }),
    version: z.string().openapi({ description: 'Of this server' }),
  })
  .openapi('Session');

export type Session = z.infer<typeof sessionSchema>;
