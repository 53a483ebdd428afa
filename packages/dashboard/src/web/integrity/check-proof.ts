import { sha256Into, verifyEd25519 } from '@bemi-db/proof/noble-crypto';
import { proofFacts, proofHeadline } from '@bemi-db/proof/proof-facts';
import { parseVerifierKey } from '@bemi-db/proof/verifier-key';
import { verifyEntryProof } from '@bemi-db/proof/verify-entry-proof';

/** What a proof turned out to be. */
export type CheckedProof =
  | {
      readonly isValid: true;
      readonly headline: string;
      readonly facts: readonly (readonly [string, string])[];
    }
  | { readonly isValid: false; readonly message: string };

/**
 * Checks the proof of an entry here in the browser, by the mathematics of the log alone: the server that sent it is not
 * believed.
 *
 * @param keys - C2SP verifier keys of the log.
 */
export async function checkProof(text: string, keys: readonly string[]): Promise<CheckedProof> {
  const known = keys
    .map((key) => parseVerifierKey(sha256Into, key.trim()))
    .filter((key) => key !== undefined);
  const result = await verifyEntryProof(text, { hash: sha256Into, verify: verifyEd25519, keys: known });
  if (!result.valid) return { isValid: false, message: result.message };
  return { isValid: true, headline: proofHeadline(result.entry), facts: proofFacts(result) };
}
