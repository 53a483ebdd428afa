/** Whose checkpoint it is: the log, and the generation of its source's history (docs/spec/log.md, Checkpoints). */
export interface Origin {
  /** 16 bytes in lower-case hexadecimal. */
  readonly logId: string;
  /** From 1. */
  readonly generation: number;
}

/** Whether a text is a log id: 32 lower-case hexadecimal digits. */
export function isLogId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** @throws TypeError where the log id or the generation is none */
export function formatOrigin({ logId, generation }: Origin): string {
  if (!isLogId(logId)) throw new TypeError('A log id is 32 lower-case hexadecimal digits.');
  if (!Number.isSafeInteger(generation) || generation < 1)
    throw new TypeError(`A generation is a whole number from 1, got ${generation}.`);
  return `bemi/${logId}/${generation}`;
}

/** The origin that a text is, or undefined where it is none of Bemi's. */
export function parseOrigin(text: string): Origin | undefined {
  const match = /^bemi\/([0-9a-f]{32})\/([1-9]\d*)$/.exec(text);
  if (match === null || !Number.isSafeInteger(Number(match[2]))) return undefined;
  return { logId: match[1]!, generation: Number(match[2]) };
}
