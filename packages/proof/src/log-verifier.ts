import { type Checkpoint, parseCheckpoint, verifySignatures } from './checkpoint.ts';
import type { Finding, Notice } from './finding.ts';
import { type HashInto, sameBytes } from './hash.ts';
import { LeafVerifier, type LeafVerifierState } from './leaf-verifier.ts';
import { inForceAt, LogRules, type LogRulesState } from './log-rules.ts';
import { parseOrigin } from './origin.ts';
import { type RootOutcome, RootVerifier, type RootVerifierState } from './root-verifier.ts';
import type { Verify } from './signature.ts';
import { type VerifierKey, verifierKey } from './verifier-key.ts';

export interface LogVerifierOptions {
  readonly hash: HashInto;
  readonly verify: Verify;
  /** Keys of the log that are known from outside of the audit database. Without any, its own are believed. */
  readonly keys?: readonly VerifierKey[];
  /** Checkpoints that were kept outside of the audit database, as texts. */
  readonly outside?: readonly string[];
  /**
   * Of a verifier that was given the entries up to here: this one continues it. Checkpoints from outside that are not
   * larger were met by that one, or come too late, and are passed over.
   */
  readonly saved?: LogVerifierState | undefined;
}

/**
 * {@link LogVerifier} between two steps, as plain data: objects, arrays, texts, numbers, bigints and byte arrays. It holds
 * hashes, positions, keys and checkpoints, and what was found. Of entries it holds the records of those that are not as
 * they were logged, which have no row, key or context in them.
 */
export interface LogVerifierState {
  readonly leaves: LeafVerifierState;
  readonly roots: RootVerifierState;
  readonly rules: LogRulesState;
  readonly findings: readonly Finding[];
  readonly notices: readonly Notice[];
  readonly entries: number;
  readonly provenSize: number;
  readonly signedSize: number;
  readonly agreedSize: number;
  readonly contradiction?: Contradiction | undefined;
  readonly contradictsItself: boolean;
}

/** The first checkpoint that the log contradicts, and up to where it agreed before. */
interface Contradiction {
  readonly agreed: number;
  readonly size: number;
}

export interface LogReport {
  readonly findings: readonly Finding[];
  readonly notices: readonly Notice[];
  /** How many entries were verified. */
  readonly entries: number;
  readonly logId: string | undefined;
  /**
   * Size of the largest checkpoint from outside that the log agrees with: what stands before is proven by it. Beyond,
   * the tail is not proven.
   */
  readonly provenSize: number;
  /** Size of the largest checkpoint that is signed by the key in force and has the log's root. */
  readonly signedSize: number;
}

/**
 * Verifies a whole log (docs/spec/log.md, "Rules of a whole log").
 *
 * Feed it, in this order: each stored tile of level 0 by {@link tile} and each checkpoint by {@link checkpoint}
 * before the entry at which they end, each entry by {@link entry} in ascending order of the sequences; stored tiles
 * above level 0 at any time. Call {@link settle} now and then, and {@link finish} at the end.
 *
 * An entry that is as it should be costs two hashes here, of its leaf and of its node, and no allocation. Its
 * commitment is the caller's: the record's header is written from what is stored, and the commitment hashed over the
 * stored fields (of an erased entry, the stored commitment is copied).
 */
export class LogVerifier {
  readonly #options: LogVerifierOptions;
  readonly #leaves: LeafVerifier;
  readonly #roots: RootVerifier;
  readonly #rules: LogRules;
  readonly #findings: Finding[];
  readonly #notices: Notice[];
  #awaiting: RootOutcome[] = [];
  #entries = 0;
  /** Behind the last entry that was given. */
  #next = 0;
  #provenSize = 0;
  #signedSize = 0;
  #agreedSize = 0;
  #contradiction: Contradiction | undefined;
  /** Whether a checkpoint that is stored beside the entries is among those. */
  #contradictsItself = false;

  constructor(options: LogVerifierOptions) {
    const { hash, saved } = options;
    this.#options = options;
    this.#roots = new RootVerifier(hash, (outcome) => this.#awaiting.push(outcome), saved?.roots);
    this.#leaves = new LeafVerifier(hash, saved?.leaves ?? 0, (outcome) => this.#roots.tile(outcome));
    this.#rules = new LogRules(saved?.rules);
    // What can't be read from outside is looked at again.
    this.#findings = (saved?.findings ?? []).filter((found) => !isMalformedOutside(found));
    this.#notices = [...(saved?.notices ?? [])];
    if (saved !== undefined) {
      this.#entries = saved.entries;
      this.#next = saved.leaves.next;
      this.#provenSize = saved.provenSize;
      this.#signedSize = saved.signedSize;
      this.#agreedSize = saved.agreedSize;
      this.#contradiction = saved.contradiction;
      this.#contradictsItself = saved.contradictsItself;
    }
    for (const text of options.outside ?? []) this.#expect(text, true);
  }

  /**
   * What a verifier is continued from, behind the last entry of a tile and after {@link settle}. Stored tiles and
   * checkpoints that end there have been given. To be written down at once: it is no copy.
   *
   * @throws RangeError anywhere else
   */
  save(): LogVerifierState {
    if (this.#awaiting.length > 0)
      throw new RangeError('Checkpoints wait for their signatures to be verified.');
    return {
      leaves: this.#leaves.save(),
      roots: this.#roots.save(),
      rules: this.#rules.save(),
      findings: this.#findings,
      notices: this.#notices,
      entries: this.#entries,
      provenSize: this.#provenSize,
      signedSize: this.#signedSize,
      agreedSize: this.#agreedSize,
      contradiction: this.#contradiction,
      contradictsItself: this.#contradictsItself,
    };
  }

  /** A stored full tile. */
  tile(level: number, index: number, hashes: Uint8Array): void {
    if (level === 0) this.#leaves.tile(index, hashes);
    else this.#roots.upperTile(level, index, hashes);
  }

  /** A stored checkpoint. */
  checkpoint(text: string): void {
    this.#expect(text, false);
  }

  #expect(text: string, outside: boolean): void {
    try {
      const checkpoint = parseCheckpoint(text);
      if (outside && this.#options.saved !== undefined && checkpoint.size <= this.#roots.size) return;
      this.#roots.expect({ checkpoint, outside });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'NoteError') throw error;
      this.#findings.push({ code: 'malformed-checkpoint', outside, message: error.message });
    }
  }

  /**
   * The record bytes[start, end) of a stored entry, at most 511 bytes.
   *
   * @param payload - of an event: its payload's text, or null where it is NULL or erased
   * @param erased - whether its salt is gone
   */
  entry(bytes: Uint8Array, start: number, end: number, payload?: string | null, erased = false): void {
    if (this.#leaves.entry(bytes, start, end) < 0) return;
    this.#rules.entry(bytes, start, end, payload, erased);
    this.#entries++;
    this.#next = this.#leaves.next;
  }

  /**
   * Says that no entry is left to come below `until`. Not needed; where retention has dropped many, the tiles that stand
   * in their place need not be kept until the next entry comes.
   */
  settleTiles(until: number): void {
    this.#leaves.missing(until);
  }

  /** Verifies the signatures of the checkpoints that the entries have reached. */
  async settle(): Promise<void> {
    const awaiting = this.#awaiting;
    this.#awaiting = [];
    for (const outcome of awaiting) await this.#verifyCheckpoint(outcome);
  }

  /**
   * The report.
   *
   * @param stored - what the audit database says of the log's end: the number of entries and the frontier
   */
  async finish(stored: { readonly size?: number; readonly frontier?: Uint8Array } = {}): Promise<LogReport> {
    const { size } = stored;
    // Entries that are missing at the end have no successor that tells.
    const missingAtEnd = size !== undefined && size > this.#next ? size - this.#next : 0;
    if (missingAtEnd > 0) this.#findings.push({ code: 'missing', sequence: this.#next, count: missingAtEnd });
    const end = this.#next;
    // Since it was interrupted, the log was cut below what had been verified.
    const isCut = size !== undefined && size < (this.#options.saved?.leaves.next ?? 0);
    for (const index of this.#leaves.finish()) this.#findings.push({ code: 'tile-altered', level: 0, index });
    const beyond = this.#roots.finish(missingAtEnd === 0 && !isCut ? stored.frontier : undefined);
    await this.settle();
    await this.#rules.finish(this.#options.verify);
    for (const { checkpoint, outside } of beyond)
      await this.#beyondEnd(checkpoint, outside, isCut ? size : end);
    this.#reportContradiction();
    this.#trustKeys();
    if (isCut) {
      const signed = this.#agreedSize > size ? this.#agreedSize : end;
      this.#findings.push({ code: 'rolled-back', size: signed, entries: size, outside: true });
    } else if (size !== undefined && size < end)
      this.#findings.push({ code: 'inserted', sequence: size, count: end - size });
    if (!isCut && this.#signedSize < end)
      this.#findings.push({ code: 'unsigned', sequence: this.#signedSize, count: end - this.#signedSize });
    return {
      findings: [...this.#findings, ...this.#rules.findings, ...this.#roots.findings].filter(
        (finding, _i, all) =>
          // A root that contradicts its checkpoint has another frontier, which is no news.
          !(finding.code === 'frontier-altered' && this.#contradiction !== undefined) &&
          !isSaidCloser(finding, all, this.#roots.findings),
      ),
      notices: [...this.#rules.notices, ...this.#notices],
      entries: this.#entries,
      logId: this.#rules.logId,
      provenSize: this.#provenSize,
      signedSize: this.#agreedSize,
    };
  }

  async #verifyCheckpoint({ checkpoint, outside, root }: RootOutcome): Promise<void> {
    const { size } = checkpoint;
    const key = inForceAt(this.#rules.keys, size);
    if (!(await this.#isOurs(checkpoint, outside, key))) return;
    this.#signedSize = Math.max(this.#signedSize, size);
    if (root === 'same') {
      this.#agreedSize = Math.max(this.#agreedSize, size);
      if (outside) this.#provenSize = Math.max(this.#provenSize, size);
    } else if (root === 'other' && !this.#givenUp(checkpoint)) this.#contradicted(size, outside);
  }

  #contradicted(size: number, outside: boolean): void {
    // What follows the first contradiction follows from it.
    this.#contradiction ??= { agreed: this.#agreedSize, size };
    if (!outside) this.#contradictsItself = true;
  }

  /**
   * A checkpoint that is stored beside the entries and contradicts them tells that some were altered since the last
   * one that agrees. One from outside that contradicts a log which agrees with itself tells of another history.
   */
  #reportContradiction(): void {
    if (this.#contradiction === undefined) return;
    const { agreed, size } = this.#contradiction;
    this.#findings.push(
      this.#contradictsItself
        ? { code: 'altered', sequence: agreed, count: size - agreed }
        : { code: 'forked', size, outside: true },
    );
  }

  async #beyondEnd(checkpoint: Checkpoint, outside: boolean, entries: number): Promise<void> {
    const key = this.#rules.keys.at(-1)?.value;
    if (!(await this.#isOurs(checkpoint, outside, key)) || this.#givenUp(checkpoint)) return;
    this.#findings.push({ code: 'rolled-back', size: checkpoint.size, entries, outside });
  }

  /** Whether the checkpoint is of this log, and signed by the key in force or one that is trusted. */
  async #isOurs(checkpoint: Checkpoint, outside: boolean, key: Uint8Array | undefined): Promise<boolean> {
    const { size, note } = checkpoint;
    const origin = parseOrigin(checkpoint.origin);
    const { logId } = this.#rules;
    if (logId !== undefined && origin?.logId !== logId) {
      this.#findings.push({ code: 'other-log', logId: origin?.logId ?? checkpoint.origin, expected: logId });
      return false;
    }
    const { hash, verify, keys = [] } = this.#options;
    const inForce = key === undefined ? [] : [verifierKey(hash, checkpoint.origin, key)];
    // An outside checkpoint that a key known from outside signed is evidence, whatever the audit database says.
    const trusted = outside
      ? keys.map(({ publicKey }) => verifierKey(hash, checkpoint.origin, publicKey))
      : [];
    const check = await verifySignatures(note, [...inForce, ...trusted], verify);
    if (!check.valid) {
      this.#findings.push({ code: 'wrong-key', size, reason: check.reason, outside });
      return false;
    }
    const expected = inForceAt(this.#rules.generations, size);
    const generation = origin?.generation;
    if (
      generation !== undefined &&
      expected !== undefined &&
      generation !== expected &&
      !this.#givenUp(checkpoint)
    ) {
      // Of an older generation and beyond its end, it contradicts the log as a fork does.
      if (generation < expected) this.#findings.push({ code: 'forked', size, outside });
      else this.#findings.push({ code: 'wrong-generation', sequence: size, generation, expected });
      return false;
    }
    return true;
  }

  /**
   * Whether a `gap` event gave up what this checkpoint covers: it is of the generation of the lost checkpoint, beyond
   * the log's size at the event, and not beyond the lost one's. It is then known that it can't agree with the log.
   */
  #givenUp({ origin, size, root }: Checkpoint): boolean {
    const event = this.#rules.givenUp.find(
      ({ sequence, value }) =>
        value.origin === origin &&
        size > sequence &&
        (size < value.size || (size === value.size && sameBytes(root, value.root))),
    );
    if (event === undefined) return false;
    const { sequence } = event;
    if (
      !this.#notices.some(
        (notice) => 'size' in notice && notice.size === size && notice.sequence === sequence,
      )
    )
      this.#notices.push({ code: 'checkpoint-given-up', size, sequence });
    return true;
  }

  #trustKeys(): void {
    const { keys = [] } = this.#options;
    if (keys.length === 0) return;
    const known = this.#rules.keys.some(({ value }) =>
      keys.some(({ publicKey }) => sameBytes(publicKey, value)),
    );
    if (!known) this.#findings.push({ code: 'untrusted-key', sequence: 1 });
  }
}

function isMalformedOutside(finding: Finding): boolean {
  return finding.code === 'malformed-checkpoint' && finding.outside;
}

const NAMES_ENTRIES: ReadonlySet<string> = new Set(['altered', 'moved', 'missing', 'inserted']);

/**
 * Whether another finding names an entry of the range that this one could only tell as a whole, or says that all
 * entries from somewhere before it on are renumbered.
 */
function isSaidCloser(finding: Finding, all: readonly Finding[], ofTree: readonly Finding[]): boolean {
  if (finding.code !== 'altered' || finding.count === 1) return false;
  const { sequence: first, count } = finding;
  const renumbered = ofTree.some(
    (other) => (other.code === 'missing' || other.code === 'inserted') && other.sequence < first + count,
  );
  if (renumbered) return true;
  return all.some(
    (other) =>
      other !== finding &&
      NAMES_ENTRIES.has(other.code) &&
      'sequence' in other &&
      other.sequence >= first &&
      other.sequence < first + count,
  );
}
