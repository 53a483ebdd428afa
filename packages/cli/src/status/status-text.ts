import { bytesText } from '@bemi-db/source/bytes-text';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { QuarantineGroup } from '@bemi-db/trail/query/quarantine-summary';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import { isWithoutRules } from '@bemi-db/trail/rules/tracking-rules';
import type { Configuration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { ageText, momentText } from '../presentation/moment-text.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { rulesSummary } from '../tracking-rules/rules-text.ts';
import type { ProofStatus } from './proof-status.ts';
import type { StatusReport, TrailStatus } from './run-status.ts';
import type { SourceStatus } from './source-status.ts';
import { workersText } from './worker-status.ts';

/** A worker records an access at once, or finds it within ten seconds. */
const accessPatienceMs = 30_000;

type Row = readonly [string, string];

/** From when on sizes are no longer healthy. */
type Limits = Pick<Configuration, 'healthyLagBytes' | 'retainedWalBytes'>;

/** What people read: both sides, and what to put right. */
export function statusText(report: StatusReport, limits: Limits): string {
  const { source, trail, hasSource, hasDestination } = report;
  const style = textStyle(process.stdout);
  const sections: string[] = [];
  if (!hasSource) sections.push('Source  not configured: set BEMI_DATABASE_URL\n');
  if (source) sections.push(sourceText(source, limits, style));
  if (trail) sections.push(trailText(trail, style, new Date()));
  if (!hasDestination) {
    sections.push(
      'Audit database  not configured: set BEMI_DESTINATION_URL, or run the worker with --embedded\n',
    );
  }
  if (source && source.findings.length > 0) sections.push(findingsText(source.findings, style));
  return sections.join('\n');
}

/** The source's side of `bemi status`. */
function sourceText(source: SourceStatus, limits: Limits, style: TextStyle): string {
  const { colors } = style;
  const rows: Row[] = [
    ['Server', `PostgreSQL ${source.version}`],
    ['Publication', source.publication === null ? colors.red('missing') : harmless(source.publication)],
    ['Slot', slotText(source, style)],
  ];
  if (source.lagBytes !== null) rows.push(['Lag', toned(source.lagBytes, limits.healthyLagBytes, style)]);
  if (source.retainedWalBytes !== null) {
    rows.push(['Retained WAL', toned(source.retainedWalBytes, limits.retainedWalBytes, style)]);
  }
  rows.push([
    'Context',
    source.context === 'on'
      ? 'on'
      : colors.yellow(`off: PostgreSQL ${source.version} can't send it; 14 or later can`),
  ]);
  return `${colors.bold('Source')}  ${harmless(source.connection)}\n${labelledLines(rows, style)}`;
}

function slotText({ slot }: SourceStatus, { colors }: TextStyle): string {
  if (!slot) return colors.red('missing');
  const use = slot.isActive ? colors.green('a worker is streaming') : colors.yellow('no worker is streaming');
  const wal = slot.walStatus === null || slot.walStatus === 'reserved' ? '' : `, WAL ${slot.walStatus}`;
  return `${slot.name}${slot.isFailover ? ' (failover slot)' : ''}, ${use}${wal}`;
}

function toned(bytes: number, limit: number, { colors }: TextStyle): string {
  const text = bytesText(bytes);
  return bytes < limit ? colors.green(text) : colors.yellow(text);
}

/** The audit database's side. */
function trailText(trail: TrailStatus, style: TextStyle, now: Date): string {
  const { database, summary, proof, quarantine } = trail;
  const { colors } = style;
  const title = `${colors.bold('Audit database')}  ${database}\n`;
  if (!summary) return `${title}${labelledLines([['Log', 'nothing recorded yet']], style)}`;
  const moment = (text: string) => `${momentText(text, style.timeZone)}, ${ageText(text, now)}`;
  const rows: Row[] = [
    ['Log', `${harmless(summary.name)}, ${countText(summary.entryCount)} entries`],
    ['Last entry', summary.lastEntryAt ? moment(summary.lastEntryAt) : 'none yet'],
    ['Last commit', summary.lastCommitAt ? moment(summary.lastCommitAt) : 'none yet'],
    [
      'Complete',
      `from LSN ${summary.completeFromLsn}, recording since ${momentText(summary.recordingSince, style.timeZone)}${exceptionsText(summary, style)}`,
    ],
    ['Confirmed', `LSN ${summary.confirmedLsn}`],
    ...(trail.workers.length > 0 ? [['Workers', workersText(trail.workers, style, now)] as const] : []),
    ...(trail.rules && !isWithoutRules(trail.rules.rules)
      ? [['Rules', `${rulesSummary(trail.rules.rules)}: ${invocation()} rules`] as const]
      : []),
    ['Quarantine', quarantineText(summary, quarantine, style)],
    ...accessRows(trail, style, now),
    ...contextKeyRows(trail, style, now),
    ...(proof ? proofRows(proof, moment, style) : []),
  ];
  return `${title}${labelledLines(rows, style)}`;
}

/** Only where some wait for longer than a worker lets them. */
function accessRows(
  { waitingAccesses: { count, since } }: TrailStatus,
  { colors }: TextStyle,
  now: Date,
): Row[] {
  if (since === undefined || now.getTime() - Date.parse(since) < accessPatienceMs) return [];
  const text = `${countedText(count, 'access waits', 'accesses wait')} to be recorded, the oldest came ${ageText(since, now)}: ${invocation()} worker`;
  return [['Accesses', colors.yellow(text)]];
}

/** Only where there are keys: a log without them is none the worse. */
function contextKeyRows(
  { contextKeys, hasEncryptionKey }: TrailStatus,
  { colors }: TextStyle,
  now: Date,
): Row[] {
  const counting = contextKeys.filter(
    ({ revokedAt }) => revokedAt === undefined || Date.parse(revokedAt) > now.getTime(),
  );
  if (counting.length === 0) return [];
  const text = `${countedText(String(counting.length), 'key')} by which contexts are authentic`;
  const advice = 'BEMI_ENCRYPTION_KEY is not set here: a worker without it records all contexts as unsigned';
  return [['Contexts', hasEncryptionKey ? text : `${text}\n${colors.yellow(advice)}`]];
}

function proofRows(proof: ProofStatus, moment: (text: string) => string, { colors }: TextStyle): Row[] {
  const rows: Row[] = [
    ['Checkpoint', `${countText(String(proof.size))} entries, signed ${moment(proof.signedAt)}`],
  ];
  for (const { where, size, isCurrent, problem } of proof.published) {
    const held = size === null ? 'nothing' : `${countText(String(size))} entries`;
    const behind = size === null ? held : `${held}, more than a minute behind`;
    const state = problem ?? (isCurrent ? held : behind);
    rows.push(['Published', `${harmless(where)}: ${isCurrent ? colors.green(state) : colors.yellow(state)}`]);
  }
  if (!proof.published.some(({ isOffHost, size }) => isOffHost && size !== null)) {
    const advice =
      'nowhere but on this machine: set BEMI_CHECKPOINT_URL, so that nobody can rewrite the log unseen';
    rows.push(['', colors.yellow(advice)]);
  }
  return rows;
}

/** What is missing all the same, with somebody's word for it. */
function exceptionsText({ gaps, skips }: SourceSummary, { colors }: TextStyle): string {
  const exceptions = [
    ...(gaps > 0 ? [countedText(String(gaps), 'accepted gap')] : []),
    ...(skips > 0 ? [countedText(String(skips), 'skipped transaction')] : []),
  ];
  return exceptions.length === 0 ? '' : colors.yellow(`, but for ${exceptions.join(' and ')}`);
}

function quarantineText(
  { quarantinedRows, quarantinedContexts }: SourceSummary,
  groups: readonly QuarantineGroup[],
  { colors }: TextStyle,
): string {
  if (quarantinedRows === '0' && quarantinedContexts === '0') return 'empty';
  const counts = `${countedText(quarantinedRows, 'row')}, ${countedText(quarantinedContexts, 'context')}`;
  const lines = groups.map(({ field, schema, table, reason, count, lastSequence }) => {
    const what = field === 'context' ? 'contexts' : table === null ? 'rows' : tableText(schema, table);
    return colors.dim(
      `${harmless(what)}: ${harmless(reason)}, ${countText(count)}, last in entry ${lastSequence}`,
    );
  });
  return [colors.yellow(counts), ...lines].join('\n');
}

function tableText(schema: string | null, table: string): string {
  return schema === null || schema === 'public' ? table : `${schema}.${table}`;
}

/** What to put right, the worst first. */
export function findingsText(findings: SourceStatus['findings'], { colors }: TextStyle): string {
  const failures = findings.filter((finding) => finding.verdict === 'failure');
  const warnings = findings.filter((finding) => finding.verdict === 'warning');
  return [...failures, ...warnings]
    .map(({ verdict, title, evidence, fix }) => {
      const mark = verdict === 'failure' ? colors.red('✗') : colors.yellow('!');
      const lines = [`${mark} ${colors.bold(harmless(title))}  ${colors.dim(harmless(evidence))}`];
      lines.push(...fix.split('\n').map((line) => `    ${harmless(line)}`));
      return `${lines.join('\n')}\n`;
    })
    .join('');
}
