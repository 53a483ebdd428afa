import { z } from '@hono/zod-openapi';

const sequence = z.string().regex(/^\d+$/).openapi({ example: '4711' });
const json = z
  .union([z.record(z.string(), z.unknown()), z.string()])
  .nullable()
  .openapi({ description: 'A JSON object; with `values=text` its text, exactly as it was recorded' });

/** A change, as `bemi log --json` prints one; sequence and transaction id as texts. */
export const changeSchema = z
  .object({
    kind: z.literal('change'),
    sequence,
    operation: z.enum(['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']),
    schema: z.string(),
    table: z.string(),
    primaryKey: z.string().nullable(),
    beforeKind: z.enum(['full', 'key', 'none']),
    before: json,
    after: json,
    changed: z.array(z.string()).nullable(),
    context: json,
    authenticity: z.enum(['authentic', 'unsigned', 'forged', 'replayed', 'stale']).nullable(),
    actor: z.unknown(),
    timestamp: z.string().openapi({ example: '2026-01-31T08:30:00.123456Z' }),
    transaction: sequence.openapi({ description: 'Sequence of its first entry: its identity' }),
    transactionId: z
      .string()
      .openapi({ description: 'The source’s own number, which it uses again one day' }),
    position: z.string().openapi({ example: '0/16B3748' }),
    quarantined: z.string().nullable().openapi({ description: 'Why the row is not in before and after' }),
    contextQuarantined: z.string().nullable(),
    erased: z.boolean(),
    contextErased: z.boolean(),
    actorErased: z.boolean(),
  })
  .openapi('Change');

/** DDL, as the source's event triggers reported it. */
export const ddlSchema = z
  .object({
    kind: z.literal('ddl'),
    sequence,
    message: json,
    refused: z.string().nullable(),
    context: json,
    authenticity: z.enum(['authentic', 'unsigned', 'forged', 'replayed', 'stale']).nullable(),
    actor: z.unknown(),
    timestamp: z.string(),
    transaction: sequence
      .nullable()
      .openapi({ description: 'As of a change; null where retention has dropped it' }),
    transactionId: z.string().nullable(),
    position: z.string().nullable(),
    erased: z.boolean(),
    contextErased: z.boolean(),
  })
  .openapi('Ddl');

export const entrySchema = z.discriminatedUnion('kind', [changeSchema, ddlSchema]).openapi('Entry');

export const entryPageSchema = z
  .object({
    entries: z.array(entrySchema),
    end: z.enum(['page-full', 'reached', 'budget']).openapi({
      description:
        '`page-full`: there may be more; `reached`: there is no more; `budget`: the search stopped after its time, go on with `next`',
    }),
    next: sequence
      .nullable()
      .openapi({ description: 'Where the next page begins: `before` (or `after`) of it' }),
    lookedBackTo: z
      .object({ sequence, at: z.string().nullable() })
      .nullable()
      .openapi({ description: 'How far a search that stopped has looked' }),
    position: sequence.openapi({
      description: 'The log’s next sequence when this was read: where to stream from',
    }),
  })
  .openapi('EntryPage');

type Exact<T> = Omit<T, 'before' | 'after' | 'context' | 'message'> & {
  [Key in Extract<keyof T, 'before' | 'after' | 'context' | 'message'>]: string | null;
};

/** As pages read it, with `values=text`. */
export type ChangeEntry = Exact<z.infer<typeof changeSchema>>;
export type DdlEntry = Exact<z.infer<typeof ddlSchema>>;
export type Entry = ChangeEntry | DdlEntry;
export type EntryPage = Omit<z.infer<typeof entryPageSchema>, 'entries'> & {
  readonly entries: readonly Entry[];
};
