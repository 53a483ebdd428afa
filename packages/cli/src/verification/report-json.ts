import { formatLsn } from '@bemi-db/proof/lsn';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { formatTime } from '@bemi-db/proof/time';
import { formatVerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';
import type { ReportedEvent } from '@bemi-db/trail/verify/log-facts';
import { findingSentences, noticeSentence } from './finding-sentences.ts';
import type { Verification } from './verification.ts';
import { caveatLines } from './verification-text.ts';

/** The statement for an auditor as JSON (docs/spec/report.md). It holds no row, no key of a row and no context. */
export type ReportJson = ReturnType<typeof reportJson>;

export function reportJson(verification: Verification, program: string) {
  const { log, origin, report, findings, evidence, keys, provenBy, parts, startedAt } = verification;
  const { facts } = report;
  const time = (value: bigint | undefined): string | null => (value === undefined ? null : formatTime(value));
  const silence = facts.longestSilence;
  const events = (...kinds: readonly string[]) =>
    facts.events.filter(({ kind }) => kinds.includes(kind)).map(eventJson);
  return {
    format: 'bemi-report',
    version: 1,
    program: `bemi ${program}`,
    verifiedAt: startedAt.toISOString(),
    resumed: parts.map(({ from, to, beganAt, endedAt }) => ({
      ...{ from, to, beganAt: beganAt.toISOString(), endedAt: endedAt.toISOString() },
    })),
    valid: findings.length === 0,
    log: { name: log.name, database: log.database ?? null, id: report.logId ?? null, origin },
    size: report.size,
    counts: {
      changes: facts.changes,
      contexts: facts.contexts,
      transactions: facts.transactions,
      events: facts.eventCount,
      erased: facts.erased,
    },
    period: { firstCommit: time(facts.firstCommitAt), lastCommit: time(facts.lastCommitAt) },
    coverage: {
      ranges: facts.covered.map(({ generation, fromLsn, toLsn }) => ({
        ...{ generation, fromLsn: formatLsn(fromLsn), toLsn: formatLsn(toLsn) },
      })),
      aliveEvents: facts.aliveCount,
      longestSilence: silence
        ? {
            ...{ fromSequence: silence.fromSequence, toSequence: silence.toSequence },
            ...{ from: formatTime(silence.from), to: formatTime(silence.to) },
            seconds: Number((silence.to - silence.from) / 1_000_000n),
          }
        : null,
    },
    gaps: events('gap', 'skip'),
    lineage: events('lineage'),
    erasures: events('erasure'),
    holds: events('hold'),
    retention: events('retention'),
    rules: events('config'),
    proven: {
      size: report.provenSize,
      by: provenBy ? { where: provenBy.where, checkpoint: provenBy.text } : null,
    },
    keys: keys.map(({ sequence, event, publicKey, reason, by, known }) => ({
      ...{ sequence, event, key: formatVerifierKey(verifierKey(sha256Into, origin, publicKey)) },
      ...(reason === undefined ? {} : { reason }),
      ...(by === undefined ? {} : { by }),
      known: known === undefined ? null : known === 'by-rotation' ? known : known.from,
    })),
    checkpoints: {
      compared: evidence.checkpoints.length,
      places: [
        ...new Set(
          evidence.checkpoints.map(({ where }) => where.replace(/\/checkpoints\/\d+$/, '/checkpoints')),
        ),
      ],
      unread: evidence.unread,
    },
    findings: findings.map(({ finding, place }) => ({
      ...finding,
      ...findingSentences(finding),
      ...(place === undefined ? {} : { place }),
    })),
    notices: report.notices.map((notice) => ({ ...notice, sentence: noticeSentence(notice) })),
    caveats: caveatLines(verification),
    notCovered: notCovered(verification),
  };
}

/** What no log of this kind shows, whatever a verification finds. */
function notCovered({ report }: Verification): string[] {
  const { covered, events } = report.facts;
  const [first] = covered;
  const hasRules = events.some(({ kind }) => kind === 'config');
  return [
    'Reads of the source, and reads of this trail by SQL: who looked at what is not recorded. What the commands and the dashboard of Bemi showed of it is in the log of accesses.',
    'Unlogged and temporary tables, tables that are not published, DDL, sequences and large objects: they are not in what the log records.',
    first
      ? `Whatever was committed before LSN ${formatLsn(first.fromLsn)}, from where the log is complete.`
      : 'Whatever was committed before recording began.',
    ...(hasRules
      ? ['What the rules of the log left out, and the values that they redacted: the rules are listed.']
      : []),
    'Whether a context is true: it is what the application, or any role of the database, said.',
  ];
}

/** Members that an event of these kinds has by docs/spec/log.md. Others are left out: what they hold is not known. */
const members = [
  'event',
  'generation',
  'fromLsn',
  'toLsn',
  'reason',
  'by',
  'entries',
  'id',
  'schema',
  'table',
  'before',
  'olderThan',
  'systemIdentifier',
  'timeline',
  'fromTimeline',
  'toTimeline',
  'rules',
  'origin',
] as const;

function eventJson({ sequence, kind, at, payload }: ReportedEvent) {
  const given = payload as Record<string, unknown>;
  return {
    sequence,
    kind,
    at: formatTime(at),
    ...Object.fromEntries(members.filter((name) => name in given).map((name) => [name, given[name]])),
  };
}
