import { z } from '@hono/zod-openapi';

/** What a log was signed as last, and by which keys. */
export const integritySchema = z
  .object({
    origin: z.string().openapi({ description: 'Names the log in its checkpoints' }),
    size: z.string().openapi({ description: 'Entries that the last checkpoint covers' }),
    root: z.string().openapi({ description: 'Base64 of the root of the log’s Merkle tree' }),
    checkpoint: z.string().openapi({ description: 'The signed note (C2SP tlog-checkpoint)' }),
    signedAt: z.string(),
    ageSeconds: z.number(),
    keys: z.array(
      z.object({
        key: z.string().openapi({ description: 'As a C2SP verifier key' }),
        sequence: z.string().openapi({ description: 'Of the event that names it' }),
        since: z.string(),
        isCurrent: z.boolean(),
      }),
    ),
  })
  .openapi('Integrity');

export type Integrity = z.infer<typeof integritySchema>;

/** What a verification found; the members of `bemi verify --json` that a page shows (docs/spec/report.md). */
export const verificationReportSchema = z.looseObject({
  valid: z.boolean(),
  size: z.number(),
  proven: z.looseObject({ size: z.number(), by: z.looseObject({ where: z.string() }).nullable() }),
  checkpoints: z.looseObject({ compared: z.number(), places: z.array(z.string()) }),
  findings: z.array(
    z.looseObject({ code: z.string(), title: z.string(), meaning: z.string(), advice: z.string() }),
  ),
  caveats: z.array(z.string()),
  elapsedMs: z.number(),
});

export type VerificationReport = z.infer<typeof verificationReportSchema>;

/** A verification of a log that runs, or the last one that ran since the server started. */
export const verificationSchema = z
  .object({
    state: z.enum(['running', 'done', 'failed']),
    startedAt: z.string(),
    startedBy: z.string(),
    endedAt: z.string().nullable(),
    part: z
      .enum(['entries', 'index'])
      .openapi({ description: 'What is verified now: the entries, then the index that searches use' }),
    done: z.number().openapi({ description: 'Entries that are verified, in this part of it' }),
    total: z.number(),
    problem: z.string().nullable().openapi({ description: 'Why it could not be finished' }),
    report: verificationReportSchema.nullable(),
  })
  .openapi('Verification');

export type Verification = z.infer<typeof verificationSchema>;

export const verificationAnswerSchema = z
  .object({
    canStart: z.boolean().openapi({ description: 'False where this server can’t verify: bemi verify does' }),
    verification: verificationSchema.nullable(),
  })
  .openapi('VerificationAnswer');

export type VerificationAnswer = z.infer<typeof verificationAnswerSchema>;
