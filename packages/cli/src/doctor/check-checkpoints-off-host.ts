import { type Finding, ok, problem } from '@bemi-db/source/finding';
import type { Attestation } from '@bemi-db/trail/attestations/attestations';
import { attestationAge } from '../attesting/attestation-age.ts';
import { attestedText } from '../attesting/run-attest.ts';
import { countText } from '../presentation/quantity-text.ts';
import type { PublishedStatus } from '../status/proof-status.ts';

const id = 'checkpoints-off-host';

/** Whether somebody who has both the worker's machine and the audit database would still be found out. */
export function checkCheckpointsOffHost(
  published: readonly PublishedStatus[],
  hasWitness: boolean,
  attested: readonly Attestation[],
): Finding {
  const elsewhere = published.filter(({ isOffHost }) => isOffHost);
  const broken = elsewhere.find(
    ({ problem: why, size, isCurrent }) => why !== null || size === null || !isCurrent,
  );
  if (broken) {
    const { where, problem: why, size } = broken;
    return problem(
      'warning',
      id,
      'Checkpoints don’t get to where they should be kept',
      `${where}: ${why ?? (size === null ? 'holds none' : `covers ${countText(size)} entries, and more were signed`)}`,
      'The worker tries again and again: bemi status says how it goes. Is BEMI_CHECKPOINT_URL right, and may it write there?',
    );
  }
  if (elsewhere.length > 0) {
    return ok(id, 'Checkpoints are kept on another machine', elsewhere.map(({ where }) => where).join(', '));
  }
  if (hasWitness) return ok(id, 'A witness signs the checkpoints', 'BEMI_CHECKPOINT_URL names one');
  const attestation = attested.find(({ kind }) => kind === id);
  if (attestation && !attestationAge(attestation).isStale) {
    return ok(id, 'Checkpoints are kept on another machine', attestedText(attestation));
  }
  return problem(
    'warning',
    id,
    'Checkpoints are kept on this machine alone',
    attestation ? attestedText(attestation) : 'BEMI_CHECKPOINT_URL names nothing on another one',
    'Who has the worker’s machine and the audit database could rewrite both. Set BEMI_CHECKPOINT_URL to a bucket, an endpoint or a ' +
      'witness (docs/publication.md).\nWhere they get to another machine by other means: bemi attest checkpoints-off-host --by NAME --ref WHERE',
  );
}
