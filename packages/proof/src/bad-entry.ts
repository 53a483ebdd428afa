import type { Finding } from './finding.ts';
import { HASH_BYTES, type HashInto, sameHash } from './hash.ts';
import { readU64Number, writeU64Number } from './integer.ts';
import { KIND_EVENT } from './record.ts';

/** An entry whose leaf hash isn't the logged one. */
export interface BadEntry {
  readonly sequence: number;
  /** The leaf prefix and the record. */
  readonly leaf: Uint8Array;
  /** The leaf hash that was logged under its sequence. */
  readonly logged: Uint8Array;
}

const SEQUENCE_AT = 1 + 2;
const TRANSACTION_AT = 1 + 10;

/**
 * Whether this is the entry that was logged as `sequence`, stored under another. A record has its sequence in it,
 * so it is hashed again as if it stood there; a second time with its transaction moved along, as somebody who
 * renumbers entries would have done.
 */
function wasLoggedAs(
  hash: HashInto,
  leaf: Uint8Array,
  sequence: number,
  logged: Uint8Array,
  at: number,
): boolean {
  const digest = new Uint8Array(HASH_BYTES);
  const candidate = leaf.slice();
  const own = readU64Number(leaf, SEQUENCE_AT);
  writeU64Number(candidate, SEQUENCE_AT, sequence);
  hash(candidate, 0, candidate.length, digest, 0);
  if (sameHash(digest, 0, logged, at)) return true;
  if (leaf[2] === KIND_EVENT || leaf.length < TRANSACTION_AT + 8) return false;
  const transaction = readU64Number(leaf, TRANSACTION_AT) + sequence - own;
  if (transaction < 0) return false;
  writeU64Number(candidate, TRANSACTION_AT, transaction);
  hash(candidate, 0, candidate.length, digest, 0);
  return sameHash(digest, 0, logged, at);
}

/**
 * Says what became of the entries of a tile whose leaves aren't the stored ones: moved within the tile, shifted by
 * others that were taken out or put in, or altered.
 *
 * @param start - sequence of the tile's first entry
 * @param bad - the positions that differ, ascending
 * @param leafAt - leaf prefix and record at a position
 * @param shift - of the tiles before
 * @param budget - how often an entry may still be tried at another place: a log that is bad throughout would take
 *   256 tries for each entry
 */
export function classifyBadEntries(
  hash: HashInto,
  start: number,
  stored: Uint8Array,
  bad: readonly number[],
  leafAt: (position: number) => Uint8Array,
  shift: number,
  budget: { tries: number },
): { readonly findings: Finding[]; readonly unexplained: BadEntry[]; readonly shift: number } {
  const findings: Finding[] = [];
  const unexplained: BadEntry[] = [];
  const from = new Map<number, number>();
  let hint = shift;
  for (const position of bad) {
    const leaf = leafAt(position);
    const candidates = budget.tries <= 0 ? [position + hint] : [position + hint, ...bad];
    budget.tries -= candidates.length;
    const found = candidates.find(
      (other) =>
        other >= 0 &&
        other < 256 &&
        other !== position &&
        wasLoggedAs(hash, leaf, start + other, stored, other * HASH_BYTES),
    );
    if (found !== undefined) {
      from.set(position, found);
      hint = found - position;
    }
  }

  const run = shift !== 0 ? { delta: shift, first: bad[0]! } : shiftedRun(bad, from);
  for (const position of bad) {
    const other = from.get(position);
    const shifted = run !== undefined && position >= run.first;
    // By the run's end what stands here came from the next tile, or was pushed out of the one before.
    const beyond =
      run !== undefined && (run.delta > 0 ? position + run.delta > 255 : position + run.delta < 0);
    if (shifted && (other === undefined ? beyond : other - position === run.delta)) continue;
    if (other !== undefined)
      findings.push({ code: 'moved', sequence: start + position, from: start + other });
    else if (run !== undefined && run.delta < 0 && position < run.first && position >= run.first + run.delta)
      continue;
    else {
      findings.push({ code: 'altered', sequence: start + position, count: 1 });
      const at = position * HASH_BYTES;
      unexplained.push({
        sequence: start + position,
        leaf: leafAt(position),
        logged: stored.slice(at, at + HASH_BYTES),
      });
    }
  }
  if (shift === 0 && run !== undefined)
    findings.push(
      run.delta > 0
        ? { code: 'missing', sequence: start + run.first, count: run.delta }
        : { code: 'inserted', sequence: start + run.first + run.delta, count: -run.delta },
    );
  return { findings, unexplained, shift: run?.delta ?? 0 };
}

/**
 * From where to the tile's end each entry was logged a constant distance away: entries were taken out there (the
 * distance is positive), or put in just before. Two entries at least: one alone was moved.
 */
function shiftedRun(
  bad: readonly number[],
  from: ReadonlyMap<number, number>,
): { readonly delta: number; readonly first: number } | undefined {
  if (bad.at(-1) !== 255) return undefined;
  const known = bad.filter((position) => from.has(position));
  const last = known.at(-1);
  if (last === undefined) return undefined;
  const delta = from.get(last)! - last;
  // What was taken out leaves the tile's last places to entries of the next one.
  if (last !== 255 - Math.max(delta, 0)) return undefined;
  let first = last;
  while (from.get(first - 1) === first - 1 + delta) first--;
  return last - first >= 1 ? { delta, first } : undefined;
}

/** Finds entries that were exchanged between tiles, among those that their tiles don't explain. */
export function movedBetweenTiles(hash: HashInto, entries: readonly BadEntry[]): Map<number, number> {
  const moved = new Map<number, number>();
  for (const entry of entries)
    for (const other of entries)
      if (other !== entry && wasLoggedAs(hash, entry.leaf, other.sequence, other.logged, 0))
        moved.set(entry.sequence, other.sequence);
  return moved;
}
