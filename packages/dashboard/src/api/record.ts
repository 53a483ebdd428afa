import { z } from '@hono/zod-openapi';

/** A record as it was at a moment. */
export const recordStateSchema = z
  .object({
    state: z.enum(['present', 'deleted', 'unknown']).openapi({
      description: '`unknown`: the log has no change of it up to then, or its row is erased or in quarantine',
    }),
    row: z
      .union([z.record(z.string(), z.unknown()), z.string()])
      .nullable()
      .openapi({
        description: 'As it was; of a deleted one its last state. With `values=text` its JSON text',
      }),
    missing: z
      .array(z.string())
      .openapi({ description: 'Columns whose values the log does not have: they are not in `row`' }),
    sequence: z.string().nullable().openapi({ description: 'Of the change that made it so' }),
    timestamp: z.string().nullable(),
    previous: z.string().nullable().openapi({ description: 'Sequence of the change before that one' }),
    next: z.string().nullable().openapi({ description: 'Sequence of the change after that moment' }),
  })
  .openapi('RecordState');

export type RecordState = Omit<z.infer<typeof recordStateSchema>, 'row'> & { readonly row: string | null };

/** A committed transaction of the source. */
export const transactionSchema = z
  .object({
    transaction: z.string().openapi({ description: 'Sequence of its first entry' }),
    transactionId: z.string(),
    sequence: z.string().openapi({ description: 'Of its commit entry, the last one' }),
    committedAt: z.string(),
    recordedAt: z.string(),
    changeCount: z.string(),
    contextCount: z.int(),
    commitPosition: z.string(),
    actor: z.unknown(),
  })
  .openapi('Transaction');

export type Transaction = z.infer<typeof transactionSchema>;
