import type { Access } from '@bemi-db/trail/access/access';
import {
  AccessNotRecordedError,
  type NoAccessReason,
  recordAccess,
} from '@bemi-db/trail/access/record-access';
import type pg from 'pg';
import { CliError } from '../cli-error.ts';
import { printNote } from '../output/print.ts';
import { personHere } from './person.ts';

/** What a command looks at. Who, by what and when is added. */
export type Looked = Omit<Access, 'via' | 'by' | 'began' | 'ended' | 'part' | 'id'>;

/** What of an access differs between its beginning and its end. */
export type AccessDetails = Pick<
  Access,
  'changes' | 'firstSequence' | 'lastSequence' | 'began' | 'ended' | 'part' | 'id'
>;

let hasSaidOlder = false;

/**
 * Has it recorded that somebody looks at audit data: before it is shown, so that nothing is shown which is not recorded.
 *
 * An audit database of an older version has no place for it. That is said, and what was asked for is shown all the same.
 *
 * @throws CliError where it can't be recorded for another reason.
 */
export async function tellAccess(
  client: pg.ClientBase,
  looked: Looked,
  details: AccessDetails = {},
): Promise<void> {
  try {
    await recordAccess(client, { ...looked, via: 'cli', by: personHere(), ...details });
  } catch (error) {
    if (!(error instanceof AccessNotRecordedError)) throw error;
    if (error.reason !== 'older-schema') {
      const { message, fix } = explanations[error.reason];
      throw new CliError(1, 'access-not-recorded', message, fix, { cause: error });
    }
    if (hasSaidOlder) return;
    hasSaidOlder = true;
    printNote(
      'Who looks at this is not recorded: the schema of the audit database is older. Start a worker of this version, or run bemi setup --destination.\n',
    );
  }
}

const explanations: Record<
  Exclude<NoAccessReason, 'older-schema'>,
  { readonly message: string; readonly fix: string }
> = {
  denied: {
    message: 'Nothing is shown: the role may not record who looks at the trail',
    fix: 'Run as the owner of the audit database, or as its administrator: bemi setup --destination\nGRANT EXECUTE ON FUNCTION bemi.request_access(jsonb) TO PUBLIC;',
  },
  'read-only': {
    message:
      'Nothing is shown: who looks at the trail can’t be recorded, because this server takes no writes',
    fix: 'Read from the primary server of the audit database: set BEMI_DESTINATION_URL to it.',
  },
};
