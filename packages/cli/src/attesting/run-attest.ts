import { type AttestationPayload, isAttestationKind } from '@bemi-db/trail/attestations/attestation-request';
import { type Attestation, readAttestations } from '@bemi-db/trail/attestations/attestations';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { usageError } from '../cli-error.ts';
import { nearestName } from '../configuration/nearest-name.ts';
import { invocation } from '../output/invocation.ts';
import { print } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { askWorker, parseWait } from '../worker-requests/ask-worker.ts';
import { withRecordedSource } from '../worker-requests/recorded-source.ts';
import { attestationAge } from './attestation-age.ts';
import { attestationKinds, staleAfterDays } from './attestation-kinds.ts';

/** The flags that all of `bemi attest` takes. */
export interface AttestFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

export interface AttestMakeFlags extends AttestFlags {
  readonly by: string;
  readonly ref: string;
  readonly note?: string;
  readonly own?: true;
  readonly wait?: string;
}

/** `bemi attest KIND` */
export async function attest(kind: string, flags: AttestMakeFlags): Promise<void> {
  const names = attestationKinds.map((each) => each.kind);
  if (!flags.own && !names.some((name) => name === kind)) {
    const nearest = nearestName(kind, names);
    throw usageError(
      `Nothing known is attested by ${JSON.stringify(kind)}`,
      `${nearest === undefined ? '' : `Did you mean ${nearest}? `}Known are ${names.join(', ')}; one of your own takes --own.`,
    );
  }
  if (!isAttestationKind(kind)) {
    throw usageError(
      `${JSON.stringify(kind)} can't be the name of an attestation`,
      'Use up to 64 lower-case letters, digits and hyphens, such as penetration-test.',
    );
  }
  for (const [flag, text] of [
    ['--by', flags.by],
    ['--ref', flags.ref],
  ] as const) {
    if (text.trim() === '')
      throw usageError(`${flag} is empty`, 'An attestation says who, and where it can be looked up.');
  }
  const waitSeconds = parseWait(flags.wait);
  await withRecordedSource(flags, async (client, source) => {
    const { by, ref, note } = flags;
    const payload: AttestationPayload = { kind, by, ref, ...(note === undefined ? {} : { note }) };
    const [sequence] = await askWorker({
      client,
      source,
      kind: 'attestation',
      payloads: [payload],
      waitSeconds,
    });
    if (flags.json) {
      await print(`${JSON.stringify({ kind, sequence: Number(sequence) })}\n`);
      return;
    }
    const days = staleAfterDays(kind);
    const { colors } = textStyle(process.stdout);
    await print(
      `${colors.green('✓')} ${colors.bold(kind)} is attested by ${harmless(by)}, entry ${countText(sequence ?? '0')}` +
        `${days === undefined ? '' : `; it counts for ${days} days`}.\n`,
    );
  });
}

/** `bemi attest list` */
export async function listAttestations(flags: AttestFlags): Promise<void> {
  await withRecordedSource(flags, async (client, source) => {
    const found = await readAttestations(client, source.log, 'newest');
    if (flags.json) {
      await print(found.map((each) => `${JSON.stringify({ ...each, ...attestationAge(each) })}\n`).join(''));
      return;
    }
    const { colors } = textStyle(process.stdout);
    const own = found
      .map(({ kind }) => kind)
      .filter((kind) => !attestationKinds.some((known) => known.kind === kind));
    const kinds = [...attestationKinds.map(({ kind }) => kind), ...own];
    const width = Math.max(...kinds.map((kind) => kind.length));
    const lines = kinds.map((kind) => {
      const attestation = found.find((each) => each.kind === kind);
      const name = kind.padEnd(width);
      if (!attestation) return `  ${colors.dim('-')} ${name}  ${colors.dim('nobody has attested it')}`;
      const { isStale } = attestationAge(attestation);
      const mark = isStale ? colors.yellow('!') : colors.green('✓');
      return `  ${mark} ${colors.bold(name)}  ${attestedText(attestation)}`;
    });
    await print(`${lines.join('\n')}\n\nAttest one by: ${invocation()} attest KIND --by NAME --ref WHERE\n`);
  });
}

/** `12 days ago by J. Doe: wiki/recovery`, and that it is stale, if so. */
export function attestedText(attestation: Attestation): string {
  const { text, isStale, days } = attestationAge(attestation);
  const { by, ref, note } = attestation;
  const stale = isStale ? `, stale after ${days} days` : '';
  return harmless(`${text}${stale}, by ${by}: ${ref}${note === undefined ? '' : ` (${note})`}`);
}
