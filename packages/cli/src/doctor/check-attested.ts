import { type Finding, ok, problem } from '@bemi-db/source/finding';
import type { Attestation } from '@bemi-db/trail/attestations/attestations';
import { attestationAge } from '../attesting/attestation-age.ts';
import { type KnownAttestation, staleAfterDays } from '../attesting/attestation-kinds.ts';
import { attestedText } from '../attesting/run-attest.ts';

const titles = {
  'disaster-recovery-plan': [
    'The disaster recovery plan is documented',
    'Nobody says that there is a disaster recovery plan',
  ],
  backup: ['The audit database is backed up', 'Nobody says that the audit database is backed up'],
  'encryption-at-rest': [
    'The audit database is encrypted at rest',
    'Nobody says that the disks are encrypted',
  ],
  'network-isolation': [
    'The databases can’t be reached from the internet',
    'Nobody says that the databases can’t be reached from the internet',
  ],
} as const satisfies Partial<Record<KnownAttestation, readonly [string, string]>>;

/** What no program can see goes by what somebody has attested, as long as that is not stale. */
export function checkAttested(kind: keyof typeof titles, attested: readonly Attestation[]): Finding {
  const [good, bad] = titles[kind];
  const found = attested.find((each) => each.kind === kind);
  const fix = `bemi attest ${kind} --by NAME --ref WHERE`;
  if (!found)
    return problem(
      'warning',
      kind,
      bad,
      'no program can see it, and nobody has attested it',
      `Once it is so: ${fix}`,
    );
  if (!attestationAge(found).isStale) return ok(kind, good, attestedText(found));
  return problem(
    'warning',
    kind,
    `What was attested is older than ${staleAfterDays(kind)} days`,
    attestedText(found),
    `${kind === 'backup' ? 'Make one, and let the job that makes them attest each' : 'Look whether it still holds'}: ${fix}`,
  );
}
