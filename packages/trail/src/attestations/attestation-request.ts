import { isPlainText, requestMembers } from '../request-payload.ts';

/** What an `attestation` event says, docs/spec/log.md. */
export interface AttestationPayload {
  readonly kind: string;
  readonly by: string;
  readonly ref: string;
  readonly note?: string;
}

const kindPattern = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

/** Whether a text can name what is attested. */
export function isAttestationKind(text: string): boolean {
  return kindPattern.test(text);
}

/** The payload of an attestation, or why it is none. */
export function parseAttestation(payload: string): AttestationPayload | string {
  const { kind, by, ref, note } = requestMembers(payload);
  if (typeof kind !== 'string' || !isAttestationKind(kind))
    return 'what is attested is named by lower-case letters, digits and hyphens';
  if (!isPlainText(by)) return 'an attestation says who attests it';
  if (!isPlainText(ref)) return 'an attestation says where it can be looked up';
  if (note !== undefined && !isPlainText(note))
    return 'the note of an attestation is a text of up to 2,000 characters';
  return { kind, by, ref, ...(note === undefined ? {} : { note }) };
}
