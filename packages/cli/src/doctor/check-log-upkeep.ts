import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import type { Attestation } from '@bemi-db/trail/attestations/attestations';
import type { LogUpkeep } from '@bemi-db/trail/query/log-upkeep';
import type { QuarantineGroup } from '@bemi-db/trail/query/quarantine-summary';
import { attestedText } from '../attesting/run-attest.ts';
import { ageText } from '../presentation/moment-text.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';

/** The worker makes more when less than this is left. */
const leastRoom = 1_000_000;
const oldCheckpointSeconds = 2 * 60 * 60;

/**
 * Whether the role that is configured could rewrite what is recorded.
 *
 * @param where - `host:port/database`; `undefined` of the embedded database.
 */
export function checkAuditRole({ role, mayAlter }: LogUpkeep, where: string | undefined): Finding {
  const id = 'audit-role';
  if (mayAlter === undefined)
    return ok(id, `The role ${role} can’t alter what is recorded`, 'it may add, or only read');
  if (where === undefined) {
    return problem(
      'warning',
      id,
      'The embedded audit database is for a first look',
      'who has this machine may alter what is recorded',
      'Set BEMI_DESTINATION_URL to a database on another server, with roles of its own:\n' +
        'bemi setup --destination postgres://ADMIN:PASSWORD@HOST:5432/DATABASE',
    );
  }
  return problem(
    'warning',
    id,
    `The role ${role} may alter what is recorded`,
    mayAlter === 'superuser' ? 'it is a superuser' : 'it owns the tables of the log',
    'Who has the worker’s password could then rewrite the log; a checkpoint from outside would show it. Make roles of their own, and ' +
      'have the worker use the URL that this writes to .bemi/worker.env, in place of BEMI_DESTINATION_URL:\n' +
      `bemi setup --destination postgres://ADMIN:PASSWORD@${where}`,
  );
}

export function checkPartitions({ partitionRoom }: LogUpkeep): Finding {
  const id = 'partitions';
  if (partitionRoom >= leastRoom) {
    return ok(id, 'There are partitions ahead', `room for ${countText(partitionRoom)} entries`);
  }
  return problem(
    'warning',
    id,
    'Partitions run out',
    `room for ${countedText(Math.max(partitionRoom, 0), 'entry', 'entries')}`,
    'A worker that records makes them ahead, and when it starts: bemi worker',
  );
}

/** What is in quarantine is recorded, and nobody can search it: somebody should have looked at it. */
export function checkQuarantine(
  { lastQuarantined }: LogUpkeep,
  groups: readonly QuarantineGroup[],
  attested: readonly Attestation[],
): Finding {
  const id = 'quarantine';
  if (lastQuarantined === undefined) return ok(id, 'Nothing is in quarantine', 'no row, no context');
  const review = attested.find(({ kind }) => kind === 'quarantine-review');
  const [worst] = groups;
  const of = worst
    ? ` (${worst.field === 'row' ? `rows of ${worst.schema}.${worst.table}` : 'contexts'}: ${worst.reason})`
    : '';
  const total = groups.reduce((sum, { count }) => sum + Number(count), 0);
  const evidence = `${countText(total)} in quarantine${of}, the newest is entry ${countText(lastQuarantined)}`;
  if (review && Number(review.sequence) > lastQuarantined) {
    return ok(id, 'What is in quarantine was looked at', `${evidence}; ${attestedText(review)}`);
  }
  return problem(
    'warning',
    id,
    'There is something in quarantine that nobody has looked at',
    evidence,
    'It is recorded and proven, as bytes: jsonb would refuse it. See it: bemi status\nOnce its cause is known: bemi attest quarantine-review --by NAME --ref WHERE',
  );
}

export function checkCheckpointAge({ checkpointAgeSeconds }: LogUpkeep): Finding {
  const id = 'checkpoint-age';
  if (checkpointAgeSeconds === undefined)
    return unknown(id, 'Nothing is signed yet', 'the log is empty', 'Start a worker: bemi worker');
  const age = ageText(new Date(-checkpointAgeSeconds * 1_000), new Date(0));
  if (checkpointAgeSeconds < oldCheckpointSeconds) return ok(id, 'The log was signed lately', age);
  return problem(
    'warning',
    id,
    'The log was not signed for long',
    `the last checkpoint was signed ${age}`,
    'A worker that records signs one an hour at least, also when nothing is written: bemi worker',
  );
}
