import type { OpenSession } from '../open-session.ts';
import { during } from '../problem.ts';
import { appendEvent } from './append-event.ts';
import { type FoundGap, nothingToAccept } from './gap-acceptance.ts';

/** A gap that is in the log. */
export interface RecordedGap extends FoundGap {
  /** Of the event. */
  readonly sequence: number;
}

/** Who answers for it, and why: both stay in the log. */
export interface Statement {
  readonly reason: string;
  readonly by: string;
}

/** Says in the log that something is missing, and begins another generation. The next session records on from there. */
export async function acceptGap(session: OpenSession, { reason, by }: Statement): Promise<RecordedGap> {
  const { gap } = session;
  if (!gap) throw nothingToAccept();
  const { found, relocation, lost } = gap;
  const { kind: _, ...whereTo } = relocation;
  const payload = {
    fromLsn: found.fromLsn,
    ...whereTo,
    refused: found.code,
    reason,
    by,
    ...(lost === undefined ? {} : { lost }),
  };
  const sequence = await during(session.attempt('audit', 'write'), () =>
    appendEvent(session, { kind: 'gap', payload, relocation }),
  );
  return { ...found, sequence };
}
