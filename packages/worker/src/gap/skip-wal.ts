import { formatLsn, parseLsn } from '@bemi-db/replication/lsn';
import type { OpenSession } from '../open-session.ts';
import { during, ProblemError } from '../problem.ts';
import type { Statement } from './accept-gap.ts';
import { appendEvent } from './append-event.ts';
import { canSendFrom, findSendable } from './find-sendable.ts';
import { advanceSlot } from './resume-slot.ts';

export interface SkippedWal {
  readonly fromLsn: string;
  readonly toLsn: string;
}

/** Of the event that says so. */
export interface RecordedSkip extends SkippedWal {
  readonly sequence: number;
}

export interface SkipRequest extends Statement {
  /**
   * Transactions that were committed before it, and are not recorded, will not be. Default: where the server can send
   * again, which is searched for.
   */
  readonly toLsn: string | undefined;
  /** Asked before anything is changed. Throws to leave everything as it is. */
  readonly confirm: (skip: SkippedWal) => Promise<void>;
}

/**
 * Passes over WAL that the server can't send. The log says so before the slot is told: a crash in between is made up for
 * when the next session opens.
 */
export async function skipWal(session: OpenSession, request: SkipRequest): Promise<RecordedSkip> {
  const { state, snapshot } = session;
  const { reason, by } = request;
  const fromLsn = state.confirmedLsn;
  if (session.tree.isNew) throw notBegun();
  const walLsn = snapshot.server.walLsn ?? fromLsn;
  const given = request.toLsn === undefined ? undefined : parseLsn(request.toLsn);
  if (given !== undefined && given <= parseLsn(fromLsn)) {
    throw outOfRange(`The log is past ${formatLsn(given)} already: it is complete up to ${fromLsn}`);
  }
  if (given !== undefined && given > parseLsn(walLsn)) {
    throw outOfRange(`The source's WAL ends at ${walLsn}, before ${formatLsn(given)}`);
  }
  const toLsn = await during(session.attempt('source', 'start-replication'), async () => {
    const search = {
      client: session.sourceSql.client,
      slot: session.slot,
      publication: snapshot.publication?.name ?? state.publication,
      slotLsn: session.slotLsn,
    };
    // Nothing is passed over that could be recorded.
    if (await canSendFrom(search, parseLsn(fromLsn))) throw nothingToSkip();
    return given === undefined ? findSendable(search, { fromLsn, toLsn: walLsn }) : formatLsn(given);
  });
  await request.confirm({ fromLsn, toLsn });
  const sequence = await during(session.attempt('audit', 'write'), () =>
    appendEvent(session, {
      kind: 'skip',
      payload: { fromLsn, toLsn, reason, by },
      relocation: { kind: 'skip', toLsn },
    }),
  );
  await during(session.attempt('source', 'start-replication'), () =>
    advanceSlot(session.sourceSql.client, session.slot, toLsn),
  );
  return { sequence, fromLsn, toLsn };
}

function nothingToSkip(): ProblemError {
  return new ProblemError({
    code: 'nothing-to-skip',
    message: 'There is nothing to skip: the server can send what follows the end of the log',
    fix: 'Start the worker: it records what can be sent, and says what is in its way.',
    kind: 'refuse',
  });
}

function notBegun(): ProblemError {
  return new ProblemError({
    code: 'nothing-to-skip',
    message: 'The log has not begun',
    fix: 'Start the worker: it begins the log, and says what is in its way.',
    kind: 'refuse',
  });
}

function outOfRange(message: string): ProblemError {
  return new ProblemError({
    code: 'skip-position',
    message,
    fix: 'The worker names the position when the server can not send a transaction.',
    kind: 'refuse',
  });
}
