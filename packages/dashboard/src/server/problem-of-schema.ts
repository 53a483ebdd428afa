import { NewerSchemaError, readSchema } from '@bemi-db/trail/migrate';
import pg from 'pg';
import { ApiProblem } from './api-problem.ts';
import type { AuditReader } from './audit-reader.ts';

/** undefined_table, undefined_column, undefined_function. */
const missingObjects: ReadonlySet<string | undefined> = new Set(['42P01', '42703', '42883']);

/**
 * What whoever asked is told where the audit database lacks what was read: a worker of this version has not been there
 * yet, or one of a newer version has. `undefined` where the schema is this version's: then it is a fault of ours.
 */
export async function problemOfSchema(error: unknown, reader: AuditReader): Promise<ApiProblem | undefined> {
  if (!(error instanceof pg.DatabaseError) || !missingObjects.has(error.code)) return undefined;
  try {
    const { pending } = await reader.read(readSchema);
    if (pending.length === 0) return undefined;
    return new ApiProblem(
      503,
      'older-schema',
      `The audit database is of an older version of Bemi: it lacks ${pending.map(({ name }) => name).join(', ')}`,
      'Start a worker of this version once, or run bemi setup --destination: either brings it up to date.',
    );
  } catch (problem) {
    if (!(problem instanceof NewerSchemaError)) return undefined;
    return new ApiProblem(
      503,
      'newer-schema',
      'The audit database is of a newer version of Bemi than this server',
      'Start this server in that version, or a newer one.',
    );
  }
}
