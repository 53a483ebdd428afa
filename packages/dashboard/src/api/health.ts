import { z } from '@hono/zod-openapi';

const decimal = z.string().regex(/^-?\d+$/);
const bytes = (description: string) => decimal.nullable().openapi({ description });

export const workerStates = [
  'starting',
  'standby',
  'waiting',
  'recording',
  'stopping',
  'stopped',
  'refused',
] as const;

export const logHealthStates = [...workerStates, 'silent', 'unseen'] as const;

/** What is in the way. */
export const healthProblemSchema = z
  .object({
    code: z.string().openapi({ example: 'slot-missing' }),
    message: z
      .string()
      .nullable()
      .openapi({ description: 'It may name tables: null for those who may not read all of them' }),
    fix: z.string().nullable(),
  })
  .openapi('HealthProblem');

export type HealthProblem = z.infer<typeof healthProblemSchema>;

export const healthWorkerSchema = z
  .object({
    instance: z.string().openapi({ description: 'Of this process alone' }),
    host: z.string(),
    pid: z.int(),
    version: z.string().nullable(),
    state: z.enum(workerStates),
    isSilent: z.boolean().openapi({ description: 'It should have been seen since, and was not' }),
    problem: healthProblemSchema.nullable(),
    startedAt: z.string(),
    stateSince: z.string(),
    seenAt: z.string(),
  })
  .openapi('HealthWorker');

export type HealthWorker = z.infer<typeof healthWorkerSchema>;

export const healthSampleSchema = z
  .object({
    at: z.string().openapi({ description: 'Where the step begins' }),
    recordingSeconds: z.number().openapi({ description: 'In so much of it a worker recorded' }),
    problem: z.string().nullable().openapi({ description: 'Code of what was in the way' }),
    lagBytes: bytes('WAL that was not recorded, at most'),
    lagSeconds: z.number().nullable(),
    retainedBytes: bytes('WAL that the source kept for the slot, at most'),
    safeBytes: bytes('WAL that might be written before the slot is in danger, at least'),
    changes: decimal,
    transactions: decimal,
    quarantined: decimal,
    auditTransactions: decimal,
    auditSeconds: z.number().openapi({ description: 'That these took' }),
    databaseBytes: bytes('Size of the audit database'),
  })
  .openapi('HealthSample');

export type HealthSample = z.infer<typeof healthSampleSchema>;

export const healthNowSchema = z
  .object({
    at: z.string(),
    lagBytes: bytes('WAL that is not recorded yet'),
    lagSeconds: z.number().nullable().openapi({ description: 'For so long the oldest of it has been there' }),
    retainedBytes: bytes('WAL that the source keeps for the slot'),
    safeBytes: bytes('WAL that may be written before the slot is in danger'),
    databaseBytes: bytes('Size of the audit database'),
  })
  .openapi('HealthNow');

export type HealthNow = z.infer<typeof healthNowSchema>;

export const alertSchema = z
  .object({
    id: decimal,
    log: z.string(),
    alert: z.string().openapi({ example: 'lag', description: 'The rule: docs/monitoring.md lists them' }),
    severity: z.string().openapi({ example: 'warning' }),
    evidence: z
      .string()
      .nullable()
      .openapi({ description: 'What was seen. Null where it may name tables that are not in your scope' }),
    fix: z.string(),
    host: z.string(),
    since: z.string(),
    seenAt: z.string().openapi({ description: 'When a worker last said that it fires' }),
    isFiring: z.boolean(),
    clearedAt: z
      .string()
      .nullable()
      .openapi({ description: 'Null while it fires, and where its worker was not seen again' }),
    clearedEvidence: z.string().nullable(),
  })
  .openapi('Alert');

export type Alert = z.infer<typeof alertSchema>;

/** How a source's recording is doing. */
export const logHealthSchema = z
  .object({
    name: z.string().openapi({ example: 'clinic' }),
    isRecorded: z.boolean().openapi({ description: 'False where no worker ever got to make its log' }),
    state: z.enum(logHealthStates).openapi({
      description:
        'Of the worker that matters most. silent: none has been seen since. unseen: none has told of itself',
    }),
    since: z.string().nullable(),
    problem: healthProblemSchema.nullable(),
    now: healthNowSchema
      .nullable()
      .openapi({ description: 'As the worker saw it last; null where none is there' }),
    lastMinute: healthSampleSchema
      .extend({ seconds: z.number().openapi({ description: 'That it is of' }) })
      .nullable()
      .openapi({ description: 'The last sample, of the last five minutes' }),
    workers: z.array(healthWorkerSchema),
    alerts: z.array(alertSchema).openapi({ description: 'Those that fire' }),
  })
  .openapi('LogHealth');

export type LogHealth = z.infer<typeof logHealthSchema>;

export const healthSchema = z
  .object({
    at: z.string().openapi({ description: 'By the audit database’s clock' }),
    logs: z.array(logHealthSchema),
    accesses: z
      .object({ state: z.enum(workerStates), problem: healthProblemSchema.nullable() })
      .nullable()
      .openapi({ description: 'The recording of accesses; null where no worker tells of it' }),
  })
  .openapi('Health');

export type Health = z.infer<typeof healthSchema>;

export const healthSeriesSchema = z
  .object({
    since: z.string(),
    until: z.string(),
    step: z.int(),
    samples: z
      .array(healthSampleSchema)
      .openapi({ description: 'Oldest first; a step in which nobody saw anything is not there' }),
  })
  .openapi('HealthSeries');

export type HealthSeries = z.infer<typeof healthSeriesSchema>;

export const healthSeriesQuerySchema = z.object({
  since: z.iso.datetime({ offset: true }).optional().openapi({ description: 'Default: an hour ago' }),
  until: z.iso.datetime({ offset: true }).optional().openapi({ description: 'Default: now' }),
  step: z.coerce
    .number()
    .int()
    .min(15)
    .max(7 * 24 * 60 * 60)
    .default(60)
    .openapi({ description: 'Seconds. What is older than a week is known by the hour' }),
});

export const alertQuerySchema = z.object({
  log: z.string().max(200).optional(),
  alert: z.string().max(64).optional(),
  isFiring: z.enum(['true', 'false']).optional(),
  before: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional()
    .openapi({ description: 'For the next page: `next` of the one before' }),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const alertPageSchema = z
  .object({ alerts: z.array(alertSchema), next: decimal.nullable() })
  .openapi('AlertPage');

export type AlertPage = z.infer<typeof alertPageSchema>;
