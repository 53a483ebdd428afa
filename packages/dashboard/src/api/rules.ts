import { z } from '@hono/zod-openapi';

const patterns = z.array(z.string().min(1).max(400)).max(1_000);

export const trackingRulesSchema = z
  .object({
    include: patterns.openapi({ description: 'Patterns of tables; with none, every table is recorded' }),
    exclude: patterns.openapi({
      description: 'Patterns of tables that are not',
      example: ['public.sessions'],
    }),
    ignore: patterns.openapi({
      description: 'Patterns of columns: a change in which only these differ is not recorded',
      example: ['*.updatedAt'],
    }),
    redact: z
      .record(z.string().min(1).max(400), z.enum(['omit', 'mask', 'hash']))
      .openapi({ description: 'By pattern of columns', example: { 'public.users.ssn': 'hash' } }),
  })
  .openapi('TrackingRules');

const ruledTableSchema = z.object({
  schema: z.string(),
  table: z.string(),
  isRecorded: z.boolean(),
  columns: z.array(
    z.object({
      name: z.string(),
      isKey: z.boolean(),
      isIgnored: z.boolean(),
      redaction: z.enum(['omit', 'mask', 'hash']).nullable(),
    }),
  ),
});

export const rulesInForceSchema = z
  .object({
    rules: trackingRulesSchema.nullable().openapi({
      description: 'Those in force; null for whoever may read some tables only: patterns name others',
    }),
    sequence: z
      .int()
      .nullable()
      .openapi({ description: 'Of the entry that set them, for basedOn; null where none were ever set' }),
    set: z.object({ at: z.string(), by: z.string().nullable(), reason: z.string().nullable() }).nullable(),
    file: z.string().nullable().openapi({
      description: 'The worker’s configuration file, where the rules stand in it: they are changed there',
    }),
    tables: z
      .array(ruledTableSchema)
      .openapi({ description: 'What they mean for tables that changes are known of' }),
  })
  .openapi('RulesInForce');

export const rulesWantedSchema = z
  .object({
    rules: trackingRulesSchema,
    reason: z.string().trim().min(1).max(2_000).openapi({ description: 'It stays in the log' }),
    basedOn: z
      .int()
      .nullable()
      .openapi({ description: 'The sequence of those that were in force when somebody looked' }),
  })
  .openapi('RulesWanted');

export type RulesInForce = z.infer<typeof rulesInForceSchema>;
export type RulesTexts = z.infer<typeof trackingRulesSchema>;
