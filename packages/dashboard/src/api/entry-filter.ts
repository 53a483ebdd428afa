import { z } from '@hono/zod-openapi';

const sequence = z.string().regex(/^\d{1,18}$/, 'a sequence is a whole number');
const moment = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'a moment is written as 2026-01-31T08:30:00Z');

/** A parameter that may be given several times. */
function several<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(item).max(50).optional(),
  );
}

/** Which entries are wanted: those that satisfy all that is given. The address of the page has the same names. */
export const entryFilterShape = {
  table: several(z.string().min(1).max(200)).openapi({
    description: 'Any of these tables: `table`, in any schema, or `schema.table`',
    example: ['public.Patient'],
  }),
  primaryKey: z
    .string()
    .max(4000)
    .optional()
    .openapi({ description: 'Of one record. Several columns: a JSON array of texts', example: '42' }),
  operation: several(z.enum(['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'DDL'])).openapi({
    description: 'Any of these',
  }),
  since: moment.optional().openapi({ description: 'Committed at or after' }),
  until: moment.optional().openapi({ description: 'Committed before' }),
  transaction: sequence
    .optional()
    .openapi({ description: 'One transaction, by the sequence of its first entry' }),
  transactionId: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional()
    .openapi({ description: 'The source’s transaction id' }),
  context: several(z.string().min(2).max(2000)).openapi({
    description: 'All of these members of the context, `key=value`; dots lead into objects',
    example: ['userId=u_42'],
  }),
  authenticity: several(z.enum(['authentic', 'unsigned', 'forged', 'replayed', 'stale'])),
  withoutContext: z.enum(['true', 'false']).optional(),
  actor: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .openapi({ description: 'Who did it: user, e-mail, database role' }),
  changed: several(z.string().min(1).max(200)).openapi({ description: 'An UPDATE of any of these columns' }),
  value: several(z.string().min(2).max(2000)).openapi({
    description: '`column=value` (equal), `column~text` (contained) or `column is null`, before or after',
    example: ['status=active'],
  }),
  valueBefore: several(z.string().min(2).max(2000)),
  valueAfter: several(z.string().min(2).max(2000)),
  text: z.string().min(1).max(500).optional().openapi({ description: 'Anywhere in key, values, context' }),
} as const;

export const pageShape = {
  limit: z.coerce.number().int().min(1).max(500).default(50),
  order: z.enum(['newest-first', 'oldest-first']).default('newest-first'),
  before: sequence.optional().openapi({ description: 'Only with a smaller sequence' }),
  after: sequence.optional().openapi({ description: 'Only with a greater sequence' }),
  values: z.enum(['json', 'text']).default('json').openapi({
    description: '`text`: rows and contexts as JSON texts, for readers that would round their numbers',
  }),
} as const;

export const entryFilterSchema = z.object(entryFilterShape);
export const entryQuerySchema = z.object({ ...entryFilterShape, ...pageShape });

export type EntryFilter = z.infer<typeof entryFilterSchema>;
export type EntryQuery = z.infer<typeof entryQuerySchema>;
