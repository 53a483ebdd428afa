/** Why a proof of an entry proves nothing. */
export type EntryProofFailure =
  /** The file isn't a proof that can be read. */
  | 'malformed'
  | 'bad-checkpoint'
  /** None of the given keys signed the checkpoint. */
  | 'unknown-key'
  | 'bad-signature'
  | 'not-included'
  /** The texts aren't those that the record commits to. */
  | 'altered'
  | 'part-missing'
  /** The parts are each in the log, and don't belong together. */
  | 'does-not-belong'
  | 'other-log'
  /** The proof is in another checkpoint than the given one. */
  | 'other-checkpoint';

/** What ends a verification: its first failure. */
export class Refusal extends Error {
  readonly code: EntryProofFailure;
  constructor(code: EntryProofFailure, message: string) {
    super(message);
    this.code = code;
  }
}
