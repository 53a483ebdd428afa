import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { isLogId, parseOrigin } from '@bemi-db/proof/origin';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { directoryTarget } from '@bemi-db/worker/publication/directory-target';
import { checkpointPath, logFolder } from '@bemi-db/worker/publication/log-folder';
import type { PublicationTarget } from '@bemi-db/worker/publication/publication-target';
import { publicationTarget } from '@bemi-db/worker/publication/publication-url';
import { usageError } from '../cli-error.ts';
import { print } from '../output/print.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { environmentFor, givenCheckpoints, type KeptCheckpoint } from './kept-checkpoints.ts';
import { givenKeys } from './known-keys.ts';
import { type PublishedReport, verifyPublished } from './published-log.ts';
import type { VerifyFlags } from './run-verify.ts';
import { verifyProgress } from './verify-progress.ts';
import { wrapped } from './wrapped-text.ts';

const mostShown = 10;

/** `bemi verify --from-published`: what was published, without the audit database. */
export async function runVerifyPublished(place: string, flags: VerifyFlags): Promise<void> {
  if (flags.key === undefined)
    throw usageError(
      "The log's key is not given",
      'Give it by --key: what is published says itself which key signed it, and anybody may have written it.',
    );
  if (flags.resume !== undefined || flags.progress !== undefined || flags.saveEvery !== undefined)
    throw usageError('What was published is verified in one go', 'Leave --resume out.');
  if (flags.report !== undefined)
    throw usageError('--report needs the audit database', 'Leave --from-published out.');
  const target = /^[a-z][a-z0-9+.-]*:/i.test(place)
    ? publicationTarget(place, environmentFor(place))
    : directoryTarget(place);
  if (target.kind !== 'files')
    throw usageError('A witness keeps no tiles', 'Name a directory, a bucket or an endpoint.');
  const keys = flags.key.flatMap((key) => givenKeys(key, ''));
  const origins = new Set(keys.map(({ key }) => key.name));
  const { folder, origin, size } = await findLog(target, place, origins);
  const kept = new Map<string, KeptCheckpoint>();
  for (const from of [place, ...(flags.checkpoint ?? [])])
    for (const each of await givenCheckpoints(from, { name: '', origin }))
      if (each.checkpoint.origin === origin) kept.set(each.text, each);
  const progress = verifyProgress(process.stderr, 'what was published');
  const report = await verifyPublished(
    target,
    folder,
    size,
    [...kept.values()],
    keys,
    progress.update,
  ).finally(progress.end);
  if (flags.json) {
    const { records = null, ...others } = report;
    await print(
      `${JSON.stringify({ valid: report.findings.length === 0, origin, ...others, records, notChecked: notChecked(report, place) })}\n`,
    );
  } else {
    const style = textStyle(process.stdout);
    const { colors } = style;
    const lines = report.findings
      .slice(0, mostShown)
      .map(({ code, sentence }) => `${colors.red('✗')} ${harmless(sentence)}  ${colors.dim(code)}\n`);
    const title =
      report.findings.length === 0
        ? `${colors.green('✓')} ${colors.bold(`One history was published: ${countText(report.size)} entries, and all of ${countText(report.checkpoints)} checkpoints agree with its tiles.`)}\n`
        : `${colors.red('✗')} ${colors.bold('What was published does not verify.')}\n`;
    await print(`${title}${lines.join('')}\n${recordsText(report, place, style)}`);
  }
  if (report.findings.length > 0) process.exitCode = 1;
}

/** What the records are of, and what nobody can tell from what was published. */
function recordsText(report: PublishedReport, place: string, style: TextStyle): string {
  const { records } = report;
  const rows: string[] = [];
  if (records) {
    const { entries, changes, contexts, transactions } = records;
    const events = Object.values(records.events).reduce((sum, count) => sum + count, 0);
    rows.push(
      `  Records   of ${countText(entries)} entries: ${countedText(changes, 'change')}, ${countedText(contexts, 'context')}, ` +
        `${countedText(transactions, 'transaction')}, ${countedText(events, 'event')}\n`,
    );
  }
  for (const line of notChecked(report, place)) {
    const [first = '', ...rest] = wrapped(harmless(line), style.columns, 4);
    rows.push(`${[`  ${style.colors.yellow('!')} ${first.trimStart()}`, ...rest].join('\n')}\n`);
  }
  return rows.join('');
}

function notChecked({ records, size, aheadCheckpoints }: PublishedReport, place: string): string[] {
  const ahead =
    aheadCheckpoints === 0
      ? []
      : [
          `${aheadCheckpoints === 1 ? '1 checkpoint is' : `${countText(aheadCheckpoints)} checkpoints are`} of more than ${countText(size)} entries, and there are no tiles of them: the worker catches up, or somebody has set the published log back.`,
        ];
  const compare = `compare the audit database with it by bemi verify --checkpoint ${place}`;
  if (records === undefined)
    return [
      ...ahead,
      `There are hashes in it, and no records (records=yes in BEMI_CHECKPOINT_URL): ${compare}`,
    ];
  const dropped = records.dropped.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return [
    ...ahead,
    ...(dropped === 0
      ? []
      : [
          `The records of ${countText(dropped)} entries are not there. Retention may have dropped these entries before they were published here: an event of it follows them.`,
        ]),
    ...(records.opaque === 0
      ? []
      : [
          `${countText(records.opaque)} records are of a kind that this version does not know: hashed, not interpreted.`,
        ]),
    `A record has a hash of what was recorded, and not the texts. Rows, keys, contexts and what events say (which key signs, what was accepted as missing, erased or dropped) were not checked: ${compare}`,
  ];
}

/** The folder of the newest generation of the log whose key was given. */
async function findLog(
  target: PublicationTarget,
  place: string,
  names: ReadonlySet<string>,
): Promise<{ folder: string; origin: string; size: number }> {
  const named = [...names].filter((name) => parseOrigin(name) !== undefined);
  const folders = new Set(named.map(logFolder));
  if (target.name === place) for (const folder of foldersIn(place)) folders.add(folder);
  const found: { folder: string; origin: string; size: number; generation: number }[] = [];
  for (const folder of folders) {
    const bytes = await target.read(checkpointPath(folder));
    if (!bytes) continue;
    const { origin, size } = parseCheckpoint(Buffer.from(bytes).toString('utf8'));
    const parsed = parseOrigin(origin);
    const isNamed = named.some((name) => parseOrigin(name)!.logId === parsed?.logId);
    if (parsed && (isNamed || named.length === 0))
      found.push({ folder, origin, size, generation: parsed.generation });
  }
  const newest = found.sort((a, b) => a.generation - b.generation).at(-1);
  if (newest) return newest;
  throw usageError(
    `There is no log of the given key in ${place}`,
    'Give the verifier key of the log that is published there.',
  );
}

function foldersIn(place: string): string[] {
  const folders = (path: string) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  return folders(place)
    .filter(isLogId)
    .flatMap((logId) => folders(join(place, logId)).map((generation) => `${logId}/${generation}`));
}
