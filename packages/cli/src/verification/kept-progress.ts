import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { PausedVerification } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { bemiFolder, makeBemiFolder, readFileIfAny, writeSecretFile } from '../configuration/bemi-folder.ts';
import { version } from '../version.ts';
import { decodePlainData, encodePlainData } from './plain-data.ts';

/** A part of a log that was read before a verification was interrupted, and not again. */
export interface ReadPart {
  /** Sequence of the first entry. */
  readonly from: number;
  /** Behind the last one. */
  readonly to: number;
  /** Between these times. */
  readonly beganAt: Date;
  readonly endedAt: Date;
}

/** What a verification is of, and is held against: one that goes on must be the same. */
export interface Subject {
  readonly logId: string;
  /** The database that is read, and its server's own number where the role may ask: a copy is another one. */
  readonly database: string;
  readonly server: string | null;
  /** The public keys that were given, in hexadecimal. */
  readonly keys: readonly string[];
  /** What stood behind --checkpoint. */
  readonly checkpoints: readonly string[];
}

/** How far a verification has got. */
export interface Progress {
  readonly subject: Subject;
  readonly parts: readonly ReadPart[];
  /** The checkpoints that were known when it began, and where. */
  readonly checkpoints: readonly { readonly where: string; readonly text: string }[];
  readonly paused: PausedVerification;
}

export type KeptProgress =
  | { readonly state: 'none' }
  /** Something else stands there. */
  | { readonly state: 'other'; readonly reason: string }
  | { readonly state: 'unusable'; readonly reason: string }
  | { readonly state: 'usable'; readonly progress: Progress };

const format = 'bemi-verify-progress';
/** Of what {@link Progress} holds: to be raised whenever the state of any rule has other members. */
const formatVersion = 2;

/** The first line of the file; the second is the progress. */
interface Heading {
  readonly format: string;
  readonly version: number;
  readonly program: string;
  /** SHA-256 of the second line, in hexadecimal. */
  readonly sha256: string;
}

/** What a verification's progress is bound to. */
export async function subjectOf(
  client: pg.ClientBase,
  log: number,
  given: Pick<Subject, 'keys' | 'checkpoints'>,
): Promise<Subject> {
  const { rows } = await client.query<{ logId: string; database: string }>(
    'SELECT log_id AS "logId", current_database() AS database FROM bemi.logs WHERE log = $1',
    [log],
  );
  const server = await client
    .query<{ server: string }>('SELECT system_identifier::text AS server FROM pg_control_system()')
    .then((answer) => answer.rows[0]!.server)
    .catch(() => null); // where it was taken away from the public
  return { ...rows[0]!, server, keys: given.keys, checkpoints: given.checkpoints };
}

/** Writes progress down, whole or not at all, for its owner alone. */
export function keepProgress(file: string, progress: Progress): void {
  const body = encodePlainData({
    ...progress,
    parts: progress.parts.map((part) => ({
      ...part,
      beganAt: part.beganAt.toISOString(),
      endedAt: part.endedAt.toISOString(),
    })),
  });
  const heading: Heading = { format, version: formatVersion, program: version(), sha256: digestOf(body) };
  const folder = bemiFolder();
  if (dirname(file) === folder.path) makeBemiFolder(folder);
  else mkdirSync(dirname(file), { recursive: true });
  writeSecretFile(file, `${JSON.stringify(heading)}\n${body}\n`);
}

/** The progress in a file, if it is of this subject and of this program. */
export function readProgress(file: string, subject: Subject): KeptProgress {
  const text = readFileIfAny(file);
  if (text === undefined) return { state: 'none' };
  const unusable = (reason: string): KeptProgress => ({ state: 'unusable', reason });
  const other: KeptProgress = { state: 'other', reason: 'it is no progress of a verification' };
  const [first = '', body = ''] = text.split('\n');
  let progress: Progress;
  try {
    const heading = JSON.parse(first) as Partial<Heading> | null;
    if (heading?.format !== format) return other;
    if (heading.version !== formatVersion || heading.program !== version())
      return unusable(`it was written by another version, bemi ${String(heading.program)}`);
    if (heading.sha256 !== digestOf(body)) return unusable('it is not whole, or was altered');
    progress = revived(decodePlainData(body) as Progress);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return other;
  }
  const was = progress.subject;
  if (was.logId !== subject.logId) return unusable(`it is of another log, ${was.logId}`);
  if (was.database !== subject.database || was.server !== subject.server)
    return unusable(`it is of another copy of this log, in the database ${was.database}`);
  if (JSON.stringify(was) !== JSON.stringify(subject))
    return unusable('that verification was begun with another --key or --checkpoint');
  return { state: 'usable', progress };
}

/** Of a verification that came to its end. */
export function forgetProgress(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    // It may be read, and nothing be written there: the next one says that it is there.
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

function revived(progress: Progress): Progress {
  return {
    ...progress,
    parts: progress.parts.map((part) => ({
      ...part,
      beganAt: new Date(part.beganAt),
      endedAt: new Date(part.endedAt),
    })),
  };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
