import type { Attestation } from '@bemi-db/trail/attestations/attestations';
import { ageText } from '../presentation/moment-text.ts';
import { staleAfterDays } from './attestation-kinds.ts';

const daySeconds = 86_400;

/** How old an attestation is by the audit database's clock, and whether it still counts. */
export function attestationAge({ kind, ageSeconds }: Pick<Attestation, 'kind' | 'ageSeconds'>): {
  readonly text: string;
  readonly days: number | undefined;
  readonly isStale: boolean;
} {
  const days = staleAfterDays(kind);
  return {
    text: ageText(new Date(-ageSeconds * 1_000), new Date(0)),
    days,
    isStale: days !== undefined && ageSeconds > days * daySeconds,
  };
}
