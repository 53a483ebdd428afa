import pg from 'pg';
import type { Access } from './access.ts';
import { accessPayload } from './access-payload.ts';

/** Why an access can't be recorded. */
export type NoAccessReason =
  /** The schema has no place for it yet: a worker or `bemi setup --destination` of this version brings it up to date. */
  | 'older-schema'
  /** The role may not call the function. */
  | 'denied'
  /** A standby, or a server that takes no writes now. */
  | 'read-only';

/** An access that can't be recorded. What it is an access to should then not be shown. */
export class AccessNotRecordedError extends Error {
  override readonly name = 'AccessNotRecordedError';
  readonly reason: NoAccessReason;

  constructor(reason: NoAccessReason, cause: unknown) {
    super(`The access can't be recorded: ${reason}`, { cause });
    this.reason = reason;
  }
}

const reasons: { readonly [sqlState: string]: NoAccessReason } = {
  '42883': 'older-schema', // undefined_function
  '3F000': 'older-schema', // invalid_schema_name
  '42P01': 'older-schema', // undefined_table: it is being brought up to date
  '42501': 'denied', // insufficient_privilege
  '25006': 'read-only', // read_only_sql_transaction
  '0A000': 'read-only', // feature_not_supported: BEGIN READ WRITE while the server recovers
};

/**
 * Asks for an entry of the log of accesses, for something that is shown or done now. When it resolves the request is
 * durable, and whatever runs afterwards, a worker turns it into an entry when it next runs.
 *
 * Any role that may read the trail may ask, also one whose transactions are read-only by default. The audit database itself
 * says in the entry which role it was, from where it was connected, and when.
 *
 * @param client - of the audit database, in no transaction.
 * @returns the request's number.
 * @throws AccessNotRecordedError
 * @example
 * await recordAccess(client, { what: 'view', via: 'dashboard', by: { id: account.id, email: account.email }, log: 'app',
 *   tables: [{ schema: 'public', table: 'Patient' }], key: '42', changes: 12 });
 */
export async function recordAccess(client: pg.ClientBase, access: Access): Promise<string> {
  const payload = JSON.stringify(accessPayload(access));
  for (let left = deadlockRetries; ; left--) {
    try {
      return await requestAccess(client, payload);
    } catch (error) {
      if (left === 0 || !(error instanceof pg.DatabaseError) || error.code !== sqlStateDeadlock) throw error;
    }
  }
}

// The first access of all makes the log of accesses, with partitions of tables that others may be reading in another order.
const deadlockRetries = 3;
const sqlStateDeadlock = '40P01';

async function requestAccess(client: pg.ClientBase, payload: string): Promise<string> {
  try {
    await client.query('BEGIN READ WRITE; SET LOCAL synchronous_commit = on');
    const { rows } = await client.query<{ id: string }>('SELECT bemi.request_access($1::jsonb) AS id', [
      payload,
    ]);
    await client.query('COMMIT');
    return rows[0]!.id;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    const reason = error instanceof pg.DatabaseError ? reasons[error.code ?? ''] : undefined;
    throw reason === undefined ? error : new AccessNotRecordedError(reason, error);
  }
}
