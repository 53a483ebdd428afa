import { sameBytes } from '@bemi-db/proof/hash';
import { conflictError } from './publication-problem.ts';
import { type PublicationTarget, tileType } from './publication-target.ts';

/** A tile or a bundle of records: nothing else will ever stand under its path. */
export interface PlacedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Full ones are worth keeping; partial ones are outgrown. */
  readonly isRetained: boolean;
}

/**
 * Puts a file in its place. What stands there already must be the same.
 *
 * @throws ProblemError, a conflict, where it is something else
 */
export async function placeFile(
  target: PublicationTarget,
  { path, bytes, isRetained }: PlacedFile,
  signal: AbortSignal,
): Promise<void> {
  const options = { contentType: tileType, isImmutable: true, isRetained, signal };
  if ((await target.write(path, bytes, options)) === 'written') return;
  const there = await target.read(path, signal);
  if (there === undefined || !sameBytes(there, bytes))
    throw conflictError(target.name, `holds another tile at ${path}`);
}

const parallelWrites = 8;

/** Puts files in their places, some at a time. All have ended before any failure counts: none arrives behind our back. */
export async function placeFiles(
  target: PublicationTarget,
  files: readonly PlacedFile[],
  signal: AbortSignal,
): Promise<void> {
  for (let i = 0; i < files.length; i += parallelWrites) {
    const writes = files.slice(i, i + parallelWrites).map((file) => placeFile(target, file, signal));
    const failed = (await Promise.allSettled(writes)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
}
