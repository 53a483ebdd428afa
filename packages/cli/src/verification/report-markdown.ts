import type { ReportJson } from './report-json.ts';

/** The report to be read: the same facts as the JSON, from which it is made. */
export function reportMarkdown(report: ReportJson): string {
  const { log, counts, period, coverage, proven, checkpoints } = report;
  const silence = coverage.longestSilence;
  const sections: [string, readonly string[]][] = [
    [
      'What was verified',
      [
        `Log: ${log.name}${log.database === null ? '' : `, of the database ${log.database}`}; origin \`${log.origin}\``,
        `Verified: ${report.verifiedAt}, by ${report.program}: every entry was read again, every hash computed anew`,
        `Entries: ${report.size} (${counts.changes} changes, ${counts.contexts} contexts, ${counts.transactions} transactions, ${counts.events} events); erased: ${counts.erased}`,
        `Period: ${period.firstCommit ?? 'no commit'} to ${period.lastCommit ?? 'no commit'}, by the source's clock`,
      ],
    ],
    ['Findings', report.findings.map(({ title, meaning, code }) => `**${title}** (\`${code}\`). ${meaning}`)],
    [
      'What is proven',
      [
        proven.by
          ? `The first ${proven.size} of ${report.size} entries, by the checkpoint in ${proven.by.where}`
          : 'Nothing by a checkpoint from outside of the audit database: the tail is not proven',
        `Checkpoints from outside that were compared: ${checkpoints.compared}${checkpoints.places.length > 0 ? `, in ${checkpoints.places.join(', ')}` : ''}`,
        ...report.caveats,
      ],
    ],
    [
      'Keys',
      report.keys.map(
        ({ sequence, event, key, known, ...said }) =>
          `From entry ${sequence} (${event}): \`${key}\`; ${known === null ? 'vouched for by nobody outside of the audit database' : known === 'by-rotation' ? 'signed in by the key before' : `known from ${known}`}${said.reason ? `. Reason: ${said.reason}` : ''}${said.by ? `. By: ${said.by}` : ''}`,
      ),
    ],
    [
      'Coverage',
      [
        ...coverage.ranges.map(
          ({ generation, fromLsn, toLsn }) =>
            `Generation ${generation}: all commits from LSN ${fromLsn} to ${toLsn}`,
        ),
        silence
          ? `Longest silence: ${silence.seconds} s, from ${silence.from} (entry ${silence.fromSequence}) to ${silence.to} (entry ${silence.toSequence}); ${coverage.aliveEvents} alive events`
          : 'No two signs of life to measure a silence between',
      ],
    ],
    ['Gaps that somebody accepted', report.gaps.map(eventLine)],
    ['Erasures', report.erasures.map(eventLine)],
    ['Holds', report.holds.map(eventLine)],
    ['Retention', report.retention.map(eventLine)],
    ['Rules of what is recorded and redacted', report.rules.map(eventLine)],
    ['Continued on other servers', report.lineage.map(eventLine)],
    ['What is not covered', report.notCovered],
  ];
  const verdict = report.valid
    ? `**Whole.** None of the ${report.size} entries was altered, removed, inserted or moved.`
    : `**Does not verify.** ${report.findings.length} finding${report.findings.length === 1 ? '' : 's'}.`;
  return [
    `# Verification of the audit log ${oneLine(log.name)}`,
    verdict,
    ...sections.map(([title, lines]) => `## ${title}\n\n${lines.length === 0 ? 'None.' : list(lines)}`),
    '`bemi-verify` checks the note beside this file: it is signed by the log’s key, over both documents.\n',
  ].join('\n\n');
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `- ${oneLine(line)}`).join('\n');
}

function eventLine({ sequence, kind, at, ...rest }: ReportJson['gaps'][number]): string {
  const said = Object.entries(rest).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `Entry ${sequence}, ${at}: ${kind}${said.length > 0 ? `; ${said.join('; ')}` : ''}`;
}

/** What people typed (reasons, names) may not break the document's structure. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[<>]/g, (character) => (character === '<' ? '&lt;' : '&gt;'));
}
