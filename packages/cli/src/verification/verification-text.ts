import { isAbsolute, relative } from 'node:path';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { formatTime } from '@bemi-db/proof/time';
import { formatKeyId, verifierKey } from '@bemi-db/proof/verifier-key';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { labelledLines } from '../output/labelled-lines.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';
import type { EntryPlace } from './entry-place.ts';
import { findingSentences, noticeSentence } from './finding-sentences.ts';
import type { LogKey } from './key-history.ts';
import type { PlacedFinding, Verification } from './verification.ts';
import { wrapped } from './wrapped-text.ts';

/** More would be scrolled past; `--json` has them all. */
const mostShown = 10;

/** A verification for people: what is wrong first, then what is proven and by what, then what is not. */
export function verificationText(verification: Verification, style: TextStyle): string {
  const { findings } = verification;
  const parts = [headline(verification, style)];
  for (const finding of findings.slice(0, mostShown)) parts.push(findingText(finding, style));
  if (findings.length > mostShown)
    parts.push(`  and ${countText(findings.length - mostShown)} more: --json lists them all.\n`);
  parts.push(labelledLines(factRows(verification, style), style));
  const caveats = caveatLines(verification);
  if (caveats.length > 0) parts.push(caveats.map((line) => noteText(line, style)).join(''));
  return parts.join('\n');
}

function headline({ log, findings, report, provenBy }: Verification, { colors }: TextStyle): string {
  const name = harmless(log.name);
  if (findings.length > 0) {
    const count = findings.length === 1 ? '1 finding' : `${countText(findings.length)} findings`;
    return `${colors.red('✗')} ${colors.bold(`The log ${name} does not verify: ${count}.`)}\n`;
  }
  const what =
    report.size === 0
      ? 'is empty'
      : `is whole: none of its ${countText(report.size)} entries was altered, removed, inserted or moved`;
  const proof =
    provenBy === undefined ? `${colors.yellow(', as far as the audit database alone can tell')}` : '';
  return `${colors.green('✓')} ${colors.bold(`The log ${name} ${what}`)}${proof}.\n`;
}

/** One finding: what is wrong, where, what it means and what to do. */
export function findingText({ finding, place }: PlacedFinding, style: TextStyle): string {
  const { colors } = style;
  const { title, meaning, advice } = findingSentences(finding);
  const lines = [`${colors.red('✗')} ${colors.bold(title)}  ${colors.dim(finding.code)}`];
  const where = place && placeText(place, style);
  if (where) lines.push(`    ${where}`);
  lines.push(...wrapped(harmless(meaning), style.columns, 4));
  lines.push(...wrapped(harmless(advice), style.columns, 4).map((line) => colors.dim(line)));
  return `${lines.join('\n')}\n`;
}

/** `UPDATE of public.Patient, committed at 2026-11-22 04:10:00`, by what the database says now. */
export function placeText(place: EntryPlace, { timeZone }: TextStyle): string | undefined {
  const at = place.at === undefined ? '' : momentText(place.at, timeZone);
  const table = place.table === undefined ? 'an unknown table' : harmless(place.table);
  switch (place.kind) {
    case 'change':
      return `${harmless(place.what ?? 'change')} of ${table}${at && `, committed at ${at}`}`;
    case 'context':
      return `the context of a transaction${at && ` committed at ${at}`}`;
    case 'commit':
      return `the commit of a transaction${at && `, at ${at}`}`;
    case 'event':
      return `event ${harmless(place.what ?? '')}${at && `, at ${at}`}`;
    case 'missing':
      return at === '' ? undefined : `around ${at}`;
  }
}

function factRows(verification: Verification, style: TextStyle): (readonly [string, string])[] {
  const { report, findings, provenBy, keys, evidence, entriesRead, elapsedMs } = verification;
  const { facts, size } = report;
  const { colors } = style;
  const rows: (readonly [string, string])[] = [
    [
      'Entries',
      `${countText(size)}: ${countedText(facts.changes, 'change')}, ${countedText(facts.contexts, 'context')}, ` +
        `${countedText(facts.transactions, 'transaction')}, ${countedText(facts.eventCount, 'event')}`,
    ],
  ];
  if (facts.firstCommitAt !== undefined && facts.lastCommitAt !== undefined) {
    const moment = (time: bigint): string => momentText(formatTime(time), style.timeZone);
    rows.push(['Period', `${moment(facts.firstCommitAt)} to ${moment(facts.lastCommitAt)}`]);
  }
  if (provenBy === undefined) {
    rows.push(['Proven', colors.yellow('nothing by a checkpoint from outside of the audit database')]);
  } else {
    const where = harmless(shownPath(provenBy.where));
    const extent =
      report.provenSize >= size
        ? `all ${countText(size)} entries`
        : `up to entry ${countText(report.provenSize - 1)} of ${countText(size)}`;
    if (findings.length === 0)
      rows.push(['Proven', `${colors.green(extent)}, by the checkpoint in ${where}`]);
    else rows.push(['Evidence', `the checkpoint in ${where}, signed over ${extent}`]);
  }
  const others = evidence.checkpoints.length - (provenBy === undefined ? 0 : 1);
  if (others > 0)
    rows.push([
      'Compared',
      `with ${countText(others)} other kept ${others === 1 ? 'checkpoint' : 'checkpoints'}`,
    ]);
  const last = keys.at(-1);
  if (last) rows.push(['Key', keyText(verification, last, style)]);
  if (facts.erased > 0)
    rows.push([
      'Erased',
      `the texts of ${facts.erased === 1 ? '1 entry' : `${countText(facts.erased)} entries`}, on demand; their hashes stay`,
    ]);
  const seconds = elapsedMs / 1_000;
  rows.push([
    'Read',
    `${countText(entriesRead)} entries in ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s, ${countText(Math.round(entriesRead / Math.max(seconds, 0.001)))} a second`,
  ]);
  return rows;
}

/** From here on, where it lies below. */
function shownPath(path: string): string {
  const from = relative(process.cwd(), path);
  return isAbsolute(path) && !from.startsWith('..') ? from : path;
}

function keyText({ origin }: Verification, last: LogKey, { colors }: TextStyle): string {
  const id = formatKeyId(verifierKey(sha256Into, origin, last.publicKey).id);
  if (last.known === undefined)
    return `${id} ${colors.yellow('by the audit database itself, vouched for by nobody')}`;
  if (last.known === 'by-rotation') return `${id}, signed in by a key that is known`;
  return `${id}, known from ${harmless(shownPath(last.known.from))}`;
}

/** What the verification does not show, and what somebody accepted. */
export function caveatLines(verification: Verification): string[] {
  const { report, provenBy, keys, evidence, parts } = verification;
  const lines: string[] = [];
  for (const { from, to, beganAt, endedAt } of parts)
    lines.push(
      `Entries ${countText(from)} to ${countText(to - 1)} were read between ${beganAt.toISOString()} and ${endedAt.toISOString()}, before this verification was interrupted, and not again: it says nothing of what was done to them since. Without --resume all is read.`,
    );
  if (evidence.lateCheckpoints)
    lines.push(
      `Not compared with ${evidence.lateCheckpoints === 1 ? '1 kept checkpoint' : `${countText(evidence.lateCheckpoints)} kept checkpoints`} of what was read before this verification was interrupted: they were not there when it began.`,
    );
  const { size, provenSize } = report;
  if (provenBy === undefined && size > 0) {
    lines.push(
      'Tail not proven: no checkpoint from outside of the audit database. Whoever controls it could have cut the end off, or, with the key, rewritten it. Run this where the worker runs, or give --checkpoint.',
    );
  } else if (provenSize < size) {
    lines.push(
      `Tail not proven: the newest ${size - provenSize === 1 ? 'entry is' : `${countText(size - provenSize)} entries are`} younger than the newest checkpoint from outside.`,
    );
  }
  if (keys.length > 0 && evidence.keys.length === 0) {
    lines.push(
      'No key was given: the log was believed which key signs it. Give --key, from somebody you trust.',
    );
  }
  for (const key of keys) {
    if (key.event !== 'replaced') continue;
    const said = [key.reason && `“${key.reason}”`, key.by && `by ${key.by}`].filter(Boolean).join(', ');
    lines.push(
      `The key was lost and replaced at entry ${countText(key.sequence)}, without the signature of the one before${said && `: ${said}`}.` +
        (key.known === undefined && evidence.keys.length > 0
          ? ' Nobody vouches for the new one: get it from the operator, and give it by --key.'
          : ''),
    );
  }
  for (const notice of report.notices) if (notice.code !== 'key-replaced') lines.push(noticeSentence(notice));
  if (!report.isViewCompared)
    lines.push(
      'The view bemi.changes was not compared: this role may not make a temporary view to compare it with.',
    );
  for (const { where, reason } of evidence.unread) lines.push(`Not compared with ${where}: ${reason}`);
  return lines;
}

function noteText(line: string, style: TextStyle): string {
  const [first = '', ...rest] = wrapped(harmless(line), style.columns, 4);
  return `${[`  ${style.colors.yellow('!')} ${first.trimStart()}`, ...rest].join('\n')}\n`;
}
