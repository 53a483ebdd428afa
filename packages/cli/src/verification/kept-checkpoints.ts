import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Checkpoint, parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { NoteError } from '@bemi-db/proof/signed-note';
import { checkpointPath, logFolder } from '@bemi-db/worker/publication/log-folder';
import type { PublicationTarget } from '@bemi-db/worker/publication/publication-target';
import { type PublicationEnvironment, publicationTargets } from '@bemi-db/worker/publication/publication-url';
import type { Witness } from '@bemi-db/worker/publication/witness';
import { LastSigned } from '@bemi-db/worker/signing/last-signed';
import { usageError } from '../cli-error.ts';
import { readFileIfAny } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { explainError } from '../output/explain-error.ts';

/** A checkpoint that is kept outside of the audit database, and where. */
export interface KeptCheckpoint {
  /** For people: a path or a host. */
  readonly where: string;
  readonly text: string;
  readonly checkpoint: Checkpoint;
}

/** A place that could not be read: what it holds was not compared. */
export interface UnreadPlace {
  readonly where: string;
  readonly reason: string;
}

export interface KeptCheckpoints {
  readonly kept: readonly KeptCheckpoint[];
  readonly unread: readonly UnreadPlace[];
}

/** What a log's checkpoints are named by. */
export interface LogName {
  readonly name: string;
  /** Origin of its present generation. */
  readonly origin: string;
  /** Under which its worker remembers what it signed. Default: its name. */
  readonly memory?: string;
}

const patienceMs = 10_000;
/** A year has half a million, one a minute: of more than this in one place, so many are compared, evenly spread. */
const mostOfPlace = 20_000;

/**
 * What the worker of this machine keeps: what it signed last, what it published beside its key, and what it published
 * elsewhere by BEMI_CHECKPOINT_URL. None of it is needed, and nothing fails where it is not there.
 */
export async function ownCheckpoints(
  log: LogName,
  configuration: Configuration,
  stateDirectory: string,
): Promise<KeptCheckpoints> {
  const kept: KeptCheckpoint[] = [];
  const unread: UnreadPlace[] = [];
  const memoryName = log.memory ?? log.name;
  const folder = join(stateDirectory, encodeURIComponent(memoryName));
  await readingPlace(join(folder, 'last-signed'), unread, () => {
    if (!isDirectory(folder)) return; // reading would make it
    const memory = new LastSigned(stateDirectory, memoryName);
    const text = memory.read();
    if (text !== undefined) kept.push(parsed(memory.file, text));
  });
  const published = join(stateDirectory, 'checkpoints');
  await readingPlace(published, unread, () => {
    if (isDirectory(published)) kept.push(...ofPublishedFolder(published, log.origin));
  });
  const { checkpointUrl, checkpointToken } = configuration;
  if (checkpointUrl !== undefined) {
    const environment = {
      ...process.env,
      ...(checkpointToken === undefined ? {} : { BEMI_CHECKPOINT_TOKEN: checkpointToken }),
    };
    for (const target of publicationTargets(checkpointUrl, environment)) {
      if (isFiles(target)) kept.push(...(await ofTarget(target, log.origin, unread)));
    }
  }
  return { kept, unread };
}

/**
 * The checkpoints that a `--checkpoint` names: a file, a directory of files, a directory that a worker published to, or
 * the URL of a place that it published to.
 *
 * @throws CliError where there is none.
 */
export async function givenCheckpoints(place: string, log: LogName): Promise<readonly KeptCheckpoint[]> {
  const kept = /^[a-z][a-z0-9+.-]*:/i.test(place)
    ? await ofUrl(place, log.origin)
    : ofPath(place, log.origin);
  if (kept.length > 0) return kept;
  throw usageError(
    `There is no checkpoint in ${place}`,
    'Name a file with one, a directory of them, or the place that the worker publishes to (BEMI_CHECKPOINT_URL).',
  );
}

/**
 * The environment for a URL that was typed: the token is for the hosts of BEMI_CHECKPOINT_URL, and for no other that an
 * auditor happens to read from.
 */
export function environmentFor(url: string): PublicationEnvironment {
  const { BEMI_CHECKPOINT_TOKEN: token, BEMI_CHECKPOINT_URL: configured = '', ...others } = process.env;
  const hosts = configured.split(/\s+/).flatMap((each) => (URL.canParse(each) ? [new URL(each).host] : []));
  const isOurs = URL.canParse(url) && hosts.includes(new URL(url).host);
  return token !== undefined && isOurs ? { ...others, BEMI_CHECKPOINT_TOKEN: token } : others;
}

async function ofUrl(url: string, origin: string): Promise<KeptCheckpoint[]> {
  const unread: UnreadPlace[] = [];
  const found: KeptCheckpoint[] = [];
  for (const target of publicationTargets(url.replace(/\/checkpoint$/, ''), environmentFor(url))) {
    if (!isFiles(target)) continue;
    const inFolder = await ofTarget(target, origin, unread);
    found.push(...inFolder);
    if (inFolder.length === 0) found.push(...(await readTarget(target, 'checkpoint', unread)));
  }
  const [problem] = unread;
  if (found.length === 0 && problem)
    throw usageError(`${problem.where}: ${problem.reason}`, 'Check the URL.');
  return found;
}

async function ofTarget(
  target: PublicationTarget,
  origin: string,
  unread: UnreadPlace[],
): Promise<KeptCheckpoint[]> {
  if (isDirectory(target.name)) return ofPublishedFolder(target.name, origin);
  return await readTarget(target, checkpointPath(logFolder(origin)), unread);
}

async function readTarget(
  target: PublicationTarget,
  path: string,
  unread: UnreadPlace[],
): Promise<KeptCheckpoint[]> {
  const found: KeptCheckpoint[] = [];
  await readingPlace(target.name, unread, async () => {
    const bytes = await target.read(path, AbortSignal.timeout(patienceMs));
    if (bytes) found.push(parsed(target.name, Buffer.from(bytes).toString('utf8')));
  });
  return found;
}

function ofPath(path: string, origin: string): KeptCheckpoint[] {
  if (!isDirectory(path)) return [ofFile(path)];
  const published = ofPublishedFolder(path, origin);
  if (published.length > 0) return published;
  return [...readableFiles(path), ...readableFiles(join(path, 'checkpoints'))];
}

function ofFile(file: string): KeptCheckpoint {
  const text = readFileIfAny(file);
  if (text === undefined) throw usageError(`There is no file ${file}`, 'Check the path after --checkpoint.');
  try {
    // A line of the worker's own memory is a checkpoint as a JSON text.
    const line = text.startsWith('"') ? text.trimEnd().split('\n').at(-1)! : undefined;
    return parsed(file, line === undefined ? text : String(JSON.parse(line)));
  } catch (error) {
    if (!(error instanceof NoteError || error instanceof SyntaxError)) throw error;
    throw usageError(`${file} holds no checkpoint: ${error.message}`, 'Give the file as it was published.');
  }
}

/** `<log id>/<generation>/checkpoint` and `checkpoints/<size>`, of every generation of the log. */
function ofPublishedFolder(folder: string, origin: string): KeptCheckpoint[] {
  const [logId = ''] = logFolder(origin).split('/');
  const kept: KeptCheckpoint[] = [];
  for (const generation of namesIn(join(folder, logId))) {
    const ofGeneration = join(folder, logId, generation);
    kept.push(...readableFiles(ofGeneration), ...readableFiles(join(ofGeneration, 'checkpoints')));
  }
  return kept;
}

/** The files of a folder that are checkpoints; others are passed over. */
function readableFiles(folder: string): KeptCheckpoint[] {
  const names = namesIn(folder).filter((name) => lstatSync(join(folder, name)).isFile());
  return spread(names, mostOfPlace).flatMap((name) => {
    try {
      return [parsed(join(folder, name), readFileSync(join(folder, name), 'utf8'))];
    } catch (error) {
      if (error instanceof NoteError) return [];
      throw error;
    }
  });
}

/** So many of the items, the first and the last among them. */
function spread<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]!);
}

async function readingPlace(
  where: string,
  unread: UnreadPlace[],
  read: () => Promise<void> | void,
): Promise<void> {
  try {
    await read();
  } catch (error) {
    const reason = error instanceof NoteError ? error.message : explainError(error).message;
    unread.push({ where, reason });
  }
}

function parsed(where: string, text: string): KeptCheckpoint {
  return { where, text, checkpoint: parseCheckpoint(text) };
}

function isFiles(target: PublicationTarget | Witness): target is PublicationTarget {
  return target.kind === 'files';
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function namesIn(folder: string): string[] {
  return isDirectory(folder) ? readdirSync(folder).sort() : [];
}
