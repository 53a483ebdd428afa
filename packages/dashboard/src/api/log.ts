import { z } from '@hono/zod-openapi';

const decimal = z.string().regex(/^\d+$/);

/** A source's log. Counts and sequences are decimal texts: they outgrow what JSON numbers hold exactly. */
export const logSchema = z
  .object({
    name: z.string().openapi({ example: 'clinic' }),
    database: z.string(),
    entryCount: decimal.openapi({ description: 'Changes, contexts, commits and events' }),
    recordingSince: z.string(),
    firstCommitAt: z.string().nullable(),
    lastCommitAt: z.string().nullable(),
    lastEntryAt: z.string().nullable(),
    gaps: z.int().openapi({ description: 'Changes are missing there, and somebody accepted it' }),
    skips: z.int(),
  })
  .openapi('Log');

export const logsSchema = z.object({ logs: z.array(logSchema) }).openapi('Logs');

export type Log = z.infer<typeof logSchema>;

export const tableSchema = z
  .object({
    schema: z.string(),
    table: z.string(),
    columns: z.array(z.string()).openapi({ description: 'In the table’s order, of its last shape' }),
    key: z.array(z.string()).openapi({ description: 'Columns of the primary key, in its order' }),
    plain: z.array(z.string()).openapi({
      description:
        'Columns whose values SQL takes as they are written: not of json, arrays or composite types',
    }),
  })
  .openapi('Table');

export const tablesSchema = z.object({ tables: z.array(tableSchema) }).openapi('Tables');

export type Table = z.infer<typeof tableSchema>;
