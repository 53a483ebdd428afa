import type { Access } from '@bemi-db/trail/access/access';
import { AccessNotRecordedError } from '@bemi-db/trail/access/record-access';
import { ApiProblem } from '../api-problem.ts';
import type { AccountsDatabase } from './accounts-database.ts';
import type { Authentication, SingleSignOn } from './authentication.ts';

/** What the routes of accounts are made of. */
export interface AccountServices {
  readonly database: AccountsDatabase;
  readonly auth: Authentication;
  readonly singleSignOn: SingleSignOn | undefined;
  /** Says that somebody came or went, or tried to. What they then look at has entries of its own. */
  noteSignIn(access: Access): Promise<void>;
  /**
   * Says that an account or a key changes, before the change is committed: where it can't be said, nothing changes.
   *
   * @throws ApiProblem 503
   */
  recordChange(access: Access): Promise<void>;
}

export interface AccountRecorder {
  /** Asks for an entry of the log of accesses. */
  record(access: Access): Promise<void>;
  readonly onError: (error: unknown) => void;
}

export function accountRecords({
  record,
  onError,
}: AccountRecorder): Pick<AccountServices, 'noteSignIn' | 'recordChange'> {
  return {
    noteSignIn: (access) =>
      record(access).catch((error) => (isBeforeTrail(error) ? undefined : onError(error))),
    async recordChange(access) {
      try {
        await record(access);
      } catch (error) {
        if (isBeforeTrail(error)) return;
        onError(error);
        throw new ApiProblem(
          503,
          'not-recorded',
          'The change can’t be recorded, and so was not made',
          'Look whether the audit database takes writes: bemi doctor.',
          { cause: error },
        );
      }
    },
  };
}

/** The first admin may be there before the worker has made the trail: then there is no log that could say so. */
function isBeforeTrail(error: unknown): boolean {
  return error instanceof AccessNotRecordedError && error.reason === 'older-schema';
}
