import type { Problem } from '../problem.ts';
import { checkpointPath, logFolder } from './log-folder.ts';
import { explainPublicationError } from './publication-problem.ts';
import type { PublicationTarget } from './publication-target.ts';
import type { Witness } from './witness.ts';

export interface PublishedCheckpoints {
  /** As they stand in the targets, unverified: anybody who may write there may have put them there. */
  readonly checkpoints: readonly { readonly where: string; readonly text: string }[];
  /** Targets that could not be read: what they hold isn't known. */
  readonly unread: readonly { readonly where: string; readonly problem: Problem }[];
}

/** Reads the checkpoint of a log from every target that holds files, all at once. Never throws for a target. */
export async function readPublishedCheckpoints(
  targets: readonly (PublicationTarget | Witness)[],
  origin: string,
  signal?: AbortSignal,
): Promise<PublishedCheckpoints> {
  const path = checkpointPath(logFolder(origin));
  const checkpoints: { where: string; text: string }[] = [];
  const unread: { where: string; problem: Problem }[] = [];
  const read = async (target: PublicationTarget): Promise<void> => {
    try {
      const bytes = await target.read(path, signal);
      if (bytes) checkpoints.push({ where: target.name, text: Buffer.from(bytes).toString('utf8') });
    } catch (error) {
      unread.push({ where: target.name, problem: explainPublicationError(error, target.name) });
    }
  };
  await Promise.all(targets.filter((target) => target.kind === 'files').map(read));
  return { checkpoints, unread };
}
