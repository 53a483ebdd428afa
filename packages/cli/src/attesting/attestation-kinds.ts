/** What no program can see, and somebody can attest. */
export interface AttestationKind {
  readonly kind: string;
  /** What is attested, as a sentence. */
  readonly statement: string;
  /** After so many days it has to be attested again; `undefined` where it stands for good. */
  readonly days: number | undefined;
}

const quarterDays = 90;

export const attestationKinds = [
  {
    kind: 'disaster-recovery-plan',
    statement: 'The disaster recovery plan is documented, and was gone through',
    days: quarterDays,
  },
  // A backup is worth what it is young: who makes one each week has a day to be late.
  { kind: 'backup', statement: 'A backup of the audit database was made', days: 8 },
  {
    kind: 'encryption-at-rest',
    statement: 'The disks of the audit database are encrypted',
    days: quarterDays,
  },
  {
    kind: 'network-isolation',
    statement: 'Neither database can be reached from the internet',
    days: quarterDays,
  },
  {
    kind: 'monitoring',
    statement: 'Somebody is told when the worker stops, by other means than its alerts',
    days: quarterDays,
  },
  { kind: 'checkpoints-off-host', statement: 'Checkpoints are kept on another machine', days: quarterDays },
  { kind: 'quarantine-review', statement: 'What is in quarantine so far was looked at', days: undefined },
  {
    kind: 'coverage-review',
    statement: 'What is no longer recorded so far was looked at',
    days: undefined,
  },
] as const satisfies readonly AttestationKind[];

export type KnownAttestation = (typeof attestationKinds)[number]['kind'];

/** Days after which an attestation is stale; of a kind of one's own too. */
export function staleAfterDays(kind: string): number | undefined {
  const known: readonly AttestationKind[] = attestationKinds;
  const found = known.find((each) => each.kind === kind);
  return found ? found.days : quarterDays;
}
