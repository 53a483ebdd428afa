import { AccessNotRecordedError } from '@bemi-db/trail/access/record-access';
import { HTTPException } from 'hono/http-exception';
import pg from 'pg';
import { ApiProblem } from './api-problem.ts';

/** PostgreSQL's query_canceled. */
const sqlStateCanceled = '57014';
/** character_not_in_repertoire: a text with U+0000, which no text of PostgreSQL holds. */
const sqlStateNoSuchCharacter = '22021';

/** What whoever asked is told of an error; `undefined` where it is not theirs to know. */
export function problemOfError(error: unknown): ApiProblem | undefined {
  if (error instanceof ApiProblem) return error;
  if (error instanceof HTTPException)
    return new ApiProblem(400, 'bad-request', 'The request can’t be understood', 'Is the body JSON?');
  if (error instanceof AccessNotRecordedError)
    return new ApiProblem(
      503,
      'access-not-recorded',
      'It can’t be recorded that you look at this, so it is not shown',
      'Start a worker of this version once: it brings the audit database up to date.',
    );
  if (!(error instanceof pg.DatabaseError)) return undefined;
  if (error.code === sqlStateCanceled)
    return new ApiProblem(503, 'too-slow', 'The search took too long', 'Add a filter by table or time.');
  if (error.code === sqlStateNoSuchCharacter)
    return new ApiProblem(400, 'bad-character', 'A text has a character that PostgreSQL doesn’t know');
  return undefined;
}
