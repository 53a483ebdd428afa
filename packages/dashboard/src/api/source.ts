import { z } from '@hono/zod-openapi';

const settings = {
  slot: z
    .string()
    .regex(/^[a-z0-9_]{1,63}$/, 'up to 63 lower-case letters, digits and underscores')
    .openapi({ example: 'bemi_slot', description: 'Replication slot: one for each source' }),
  publication: z
    .string()
    .min(1)
    .max(63)
    .regex(/^\P{Cc}*$/u, 'no control characters')
    .openapi({ example: 'bemi_publication' }),
  bufferSize: z.int().min(1).max(1_000_000).openapi({
    example: 1000,
    description: 'Changes in an audit transaction before it is committed',
  }),
  retentionDays: z.int().min(1).max(36_525).openapi({
    example: 2192,
    description: 'Days that everything is kept. What is shorter than before has no effect.',
  }),
};

/** Of a source, and of its log. */
const name = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[^\p{Cc}\p{Cf}/]+$/u, 'no / and no control characters')
  .refine((text) => !text.startsWith('bemi:'), 'not beginning with bemi:');

const connection = z.string().min(1).max(4_000).openapi({
  example: 'postgres://bemi_replication:password@db.example:5432/app',
  description: 'With the password. It is encrypted where it is stored, and never sent back.',
});

export const sourceDefaults = {
  slot: 'bemi_slot',
  publication: 'bemi_publication',
  bufferSize: 1_000,
  retentionDays: 2_192,
} as const;

export const sourceWantedSchema = z
  .object({
    name: name.optional().openapi({ description: 'Default: the database’s name' }),
    connection,
    slot: settings.slot.default(sourceDefaults.slot),
    publication: settings.publication.default(sourceDefaults.publication),
    bufferSize: settings.bufferSize.default(sourceDefaults.bufferSize),
    retentionDays: settings.retentionDays.default(sourceDefaults.retentionDays),
    evenIfUnreachable: z
      .boolean()
      .default(false)
      .openapi({ description: 'Add it although the database can’t be reached now' }),
  })
  .openapi('SourceWanted');

export const sourceChangeSchema = z
  .object({
    connection: connection.optional().openapi({ description: 'The whole of it anew, with the password' }),
    slot: settings.slot.optional(),
    publication: settings.publication.optional(),
    bufferSize: settings.bufferSize.optional(),
    retentionDays: settings.retentionDays.optional(),
    evenIfUnreachable: z.boolean().default(false),
  })
  .openapi('SourceChange');

export const sourceCheckSchema = z
  .object({
    connection: connection.optional().openapi({ description: 'Of a source that is not added yet' }),
    name: name.optional().openapi({
      description:
        'That it is to have. Default: the database’s name. Of what has no log yet, the worker makes the rest',
    }),
    source: name.optional().openapi({ description: 'The name of one that is there' }),
    slot: settings.slot.optional(),
    publication: settings.publication.optional(),
  })
  .refine(
    (asked) => (asked.connection === undefined) !== (asked.source === undefined),
    'either a connection or the name of a source',
  )
  .openapi('SourceCheckWanted');

const problem = z.object({ code: z.string(), message: z.string(), fix: z.string() });

export const sourceSchema = z
  .object({
    name: z.string().openapi({ example: 'clinic', description: 'Of the source, and of its log' }),
    origin: z.enum(['added', 'configured', 'elsewhere']).openapi({
      description:
        'added: here, and can be changed. configured: by the configuration of this server. elsewhere: a worker with another configuration records it, or did',
    }),
    configuredWith: z
      .string()
      .nullable()
      .openapi({ description: 'The file or the variable that configures it' }),
    target: z
      .object({
        host: z.string().nullable(),
        port: z.int().nullable(),
        database: z.string(),
        role: z.string().nullable(),
      })
      .openapi({ description: 'Where it is, without the password' }),
    slot: z.string(),
    publication: z.string(),
    bufferSize: z.int().nullable(),
    retentionDays: z.int().nullable(),
    state: z.enum(['recording', 'waiting', 'refused', 'unknown']).openapi({
      description:
        'Of the recording in this server’s process. waiting: it tries again by itself. refused: somebody has to do something. unknown: it is not recorded by this process',
    }),
    problem: problem.nullable().openapi({ description: 'What is in the way' }),
    triedAgainAt: z.string().nullable().openapi({
      description: 'When this server’s process tries again what it refused; null where it does not',
    }),
    lastEntryAt: z.string().nullable().openapi({ description: 'When the log got its last entry' }),
    added: z.object({ at: z.string(), by: z.string() }).nullable(),
    changed: z.object({ at: z.string(), by: z.string() }).nullable(),
    whenRemoved: z.array(z.string()).openapi({
      description:
        'SQL for the source once it is no longer recorded: else it keeps WAL for the slot, without end',
    }),
  })
  .openapi('Source');

export const sourcesSchema = z
  .object({
    sources: z.array(sourceSchema),
    canAdd: z.boolean(),
    whyNot: z.string().nullable().openapi({ description: 'Why none can be added here, and what to do' }),
  })
  .openapi('Sources');

export const findingSchema = z
  .object({
    id: z.string().openapi({ example: 'wal-level' }),
    verdict: z.enum(['ok', 'warning', 'failure', 'unknown']),
    title: z.string(),
    evidence: z.string(),
    fix: z.string(),
    sql: z.array(z.string()).openapi({ description: 'Of the fix, a statement each' }),
  })
  .openapi('Finding');

export const sourceChecksSchema = z
  .object({
    connection: z.string().nullable().openapi({
      example: 'bemi_replication@db.example:5432/app',
      description: 'What was looked at, without the password',
    }),
    isReachable: z.boolean(),
    groups: z
      .array(z.object({ title: z.string(), findings: z.array(findingSchema) }))
      .openapi({ description: 'In the order in which they are cured' }),
    steps: z
      .array(z.object({ title: z.string(), sql: z.string(), why: z.string() }))
      .openapi({ description: 'What bemi setup would do, to be run as an administrator of the source' }),
    tables: z.array(
      z.object({
        schema: z.string(),
        table: z.string(),
        isPublished: z.boolean(),
        identity: z.enum(['default', 'full', 'index', 'nothing']),
        rowEstimate: z.number().nullable(),
        sql: z.array(z.string()).openapi({
          description: 'What takes it out of the publication, or brings it in; to be run as their owner',
        }),
        note: z
          .string()
          .nullable()
          .openapi({ description: 'Why there is no such SQL, and what to do instead' }),
      }),
    ),
    tableCount: z.int().openapi({ description: 'Of all tables, listed or not' }),
    publishedCount: z.int(),
  })
  .openapi('SourceChecks');

export type Source = z.infer<typeof sourceSchema>;
export type Sources = z.infer<typeof sourcesSchema>;
export type SourceFinding = z.infer<typeof findingSchema>;
export type SourceChecks = z.infer<typeof sourceChecksSchema>;
