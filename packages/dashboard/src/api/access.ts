import { z } from '@hono/zod-openapi';

const sequence = z.string().regex(/^\d{1,18}$/);

/** Which accesses: all that is given must hold. */
export const accessQuerySchema = z.object({
  who: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .openapi({ description: 'A person’s id or e-mail, or a database role' }),
  what: z
    .enum([
      ...(['search', 'view', 'export', 'live'] as const),
      ...(['sign-in', 'sign-out', 'sign-in-failed', 'account', 'key', 'source'] as const),
    ])
    .optional(),
  log: z.string().max(200).optional().openapi({ description: 'The log that was looked at' }),
  table: z.string().max(200).optional().openapi({ example: 'public.Patient' }),
  primaryKey: z.string().max(4000).optional().openapi({ description: 'Of the record that was looked at' }),
  since: z.iso.datetime({ offset: true }).optional(),
  until: z.iso.datetime({ offset: true }).optional(),
  before: sequence.optional().openapi({ description: 'For the next page: `next` of the one before' }),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Somebody looked at audit data, or changed who may: `RecordedAccess` of the trail. What is not known is not there. */
export const accessSchema = z
  .looseObject({
    entry: sequence
      .optional()
      .openapi({ description: 'In the log of accesses; absent while it waits for a worker' }),
    at: z.string().optional().openapi({ description: 'By the audit database’s clock' }),
    isErased: z.boolean(),
    what: z.string().optional(),
    via: z.string().optional(),
    by: z
      .looseObject({ id: z.string().optional(), email: z.string().optional() })
      .openapi({ description: 'Who it was, by the asker’s word' }),
    role: z.string().optional().openapi({ description: 'Of the audit database, by its own word' }),
  })
  .openapi('Access');

export const accessPageSchema = z
  .object({ accesses: z.array(accessSchema), next: sequence.nullable() })
  .openapi('AccessPage');
