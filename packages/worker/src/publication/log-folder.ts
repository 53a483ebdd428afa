import { parseOrigin } from '@bemi-db/proof/origin';

/** The folder of a log's generation in a target: `<log id>/<generation>`, with tlog-tiles' layout in it. */
export function logFolder(origin: string): string {
  const parsed = parseOrigin(origin);
  if (!parsed) throw new TypeError(`Not an origin of a log: ${origin}`);
  return `${parsed.logId}/${parsed.generation}`;
}

export function checkpointPath(folder: string): string {
  return `${folder}/checkpoint`;
}

/** Where a checkpoint stays when newer ones replace it at {@link checkpointPath}. */
export function oldCheckpointPath(folder: string, size: number): string {
  return `${folder}/checkpoints/${size}`;
}
