import { z } from '@hono/zod-openapi';
import { entryFilterShape } from './entry-filter.ts';

export const activitySteps = ['hour', 'day', 'week', 'month'] as const;
export type ActivityStep = (typeof activitySteps)[number];

/** Which period is counted, and how finely. */
export const activityQuerySchema = z.object({
  since: entryFilterShape.since.openapi({
    description: 'Where the period begins: taken back to a full hour. Default: where the log begins',
  }),
  until: entryFilterShape.until.openapi({
    description: 'Where it ends: taken forward to a full hour. Default: now',
  }),
  step: z.enum(activitySteps).default('day').openapi({ description: 'How long each count is for' }),
  zone: z
    .string()
    .regex(/^[A-Za-z0-9_+/-]{1,64}$/, 'a time zone is a name such as Europe/Berlin')
    .default('UTC')
    .openapi({ description: 'Whose days, weeks and months', example: 'Europe/Berlin' }),
  table: entryFilterShape.table,
});

const count = z.int().openapi({ example: 412 });

/** By operation. */
const operationCountsSchema = z
  .object({ INSERT: count, UPDATE: count, DELETE: count, TRUNCATE: count })
  .openapi('OperationCounts');

export type OperationCounts = z.infer<typeof operationCountsSchema>;

const nameActivitySchema = z
  .object({
    name: z.string(),
    changes: count.openapi({ description: 'As many as entries with `actor` of this name' }),
    withoutContext: count.openapi({ description: 'Of them, those without a context' }),
  })
  .openapi('NameActivity');

export type NameActivity = z.infer<typeof nameActivitySchema>;

const tableActivitySchema = z
  .object({
    schema: z.string(),
    table: z.string(),
    changes: count,
    operations: operationCountsSchema,
    withoutContext: count,
    steps: z.array(operationCountsSchema).openapi({ description: 'Of each step' }),
  })
  .openapi('TableActivity');

export type TableActivity = z.infer<typeof tableActivitySchema>;

const unusualHourSchema = z
  .object({
    schema: z.string(),
    table: z.string(),
    operation: z.enum(['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']),
    hour: z.string().openapi({ description: 'When it begins' }),
    changes: count,
    usual: z.number().openapi({ description: 'The median of the hours that it is compared with' }),
  })
  .openapi('UnusualHour');

export type UnusualHour = z.infer<typeof unusualHourSchema>;

/** What happened in a period, counted. Counts are below 2^53. */
export const activitySchema = z
  .object({
    since: z.string(),
    until: z.string(),
    steps: z.array(z.string()).openapi({ description: 'When each begins, at full hours' }),
    tables: z.array(tableActivitySchema).openapi({ description: 'Those with changes, most first' }),
    actors: z.array(nameActivitySchema).openapi({ description: 'Who made most of the changes' }),
    directUsers: z.array(nameActivitySchema).openapi({
      description: 'Database users of the changes without context, as triggers in the source report them',
    }),
    directPrograms: z.array(nameActivitySchema).openapi({ description: 'And their programs' }),
    unusual: z.array(unusualHourSchema).openapi({
      description: 'Hours with far more than is usual for them, in the last 30 days of the period',
    }),
    countedTo: z.string().nullable().openapi({
      description: 'Up to which commit everything is counted, where the counts are behind the log',
    }),
    uncountedEntries: z.int().openapi({
      description: 'About how many entries before that are being counted again, and are missing here',
    }),
  })
  .openapi('Activity');

export type Activity = z.infer<typeof activitySchema>;
