import { z } from '@hono/zod-openapi';

/** Why a request was not answered, and what to do. */
export const problemSchema = z
  .object({
    error: z.object({
      code: z.string().openapi({ example: 'unknown-log', description: 'Stable, in kebab-case' }),
      message: z.string(),
      fix: z.string().optional().openapi({ description: 'What to do about it' }),
    }),
  })
  .openapi('Problem');

export type Problem = z.infer<typeof problemSchema>;
