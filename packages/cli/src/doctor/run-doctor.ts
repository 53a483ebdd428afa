import { checkIds } from '@bemi-db/source/check-groups';
import type { Finding } from '@bemi-db/source/finding';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { configurationError, usageError } from '../cli-error.ts';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { nearestName } from '../configuration/nearest-name.ts';
import { subjects } from '../connecting/meant-source.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { type AuditChoice, auditSection, type LogFacts } from './audit-section.ts';
import { checkCaptured } from './check-captured.ts';
import { checkClocks } from './check-clocks.ts';
import { doctorJson } from './doctor-report.ts';
import { type DoctorSection, section } from './doctor-section.ts';
import { doctorText } from './doctor-text.ts';
import { probe } from './probe.ts';
import { sourceSection } from './source-section.ts';
import { sqlText } from './sql-text.ts';

/** The flags of `bemi doctor`. */
export interface DoctorFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
  readonly entries?: string;
  readonly maxWithoutContext?: string;
  /** Names, with commas between. */
  readonly contextMembers?: string;
  readonly probe?: true;
  readonly sql?: true;
  /** Ids of checks, with commas between. */
  readonly ignore?: string;
}

const defaultEntries = 100_000;
const defaultMaximumWithout = 5;
/** The guide's. */
const defaultMembers = 'userId,accessReason';

/** Both sides are looked at, as far as each can be reached. */
export async function runDoctor(flags: DoctorFlags): Promise<void> {
  const newestEntries = numberOf('--entries', flags.entries ?? String(defaultEntries), 10_000_000);
  const maximumWithout = numberOf(
    '--max-without-context',
    flags.maxWithoutContext ?? String(defaultMaximumWithout),
    100,
  );
  const contextMembers = (flags.contextMembers ?? defaultMembers).split(',').map((name) => name.trim());
  const ignored = ignoredIds(flags.ignore);
  const configuration = loadConfiguration({ source: flags.source });
  const isEmbedded = flags.embedded === true;
  const hasAudit = configuration.destinationUrl !== undefined || isEmbedded || hasEmbedded(bemiFolder());
  if (configuration.sources.length === 0 && configuration.databaseUrl === undefined && !hasAudit) {
    throw configurationError(
      'Neither a source nor an audit database is configured',
      'Set BEMI_DATABASE_URL and BEMI_DESTINATION_URL, or prepare a source by: bemi setup --admin-url URL',
    );
  }
  const options = {
    isEmbedded,
    newestEntries,
    maximumWithout,
    contextMembers,
    isProbing: flags.probe === true,
    ignored,
  };
  const reports: (readonly [string, Diagnosis])[] = [];
  for (const { name = '', configuration: own, ...subject } of await subjects(configuration, {
    ...{ source: flags.source, isEmbedded },
  }))
    reports.push([name, await diagnose(own, { ...options, ...subject })]);
  await print(reportText(reports, flags));
  process.exitCode = Math.max(
    ...reports.flatMap(([, { sections }]) => sections.map(({ exitCode }) => exitCode)),
  );
}

function reportText(reports: readonly (readonly [string, Diagnosis])[], flags: DoctorFlags): string {
  const isSeveral = reports.length > 1;
  if (flags.sql) {
    return reports
      .map(([name, { sections }]) => {
        const title = isSeveral ? `-- ${harmless(name)}\n` : '';
        return title + sqlText(sections.flatMap(({ findings }) => findings));
      })
      .join('\n');
  }
  if (flags.json) {
    const all = reports.map(
      ([name, { sections, facts }]) => [name, doctorJson(sections, facts?.contextShare)] as const,
    );
    return `${JSON.stringify(isSeveral ? { sources: Object.fromEntries(all) } : all[0]![1])}\n`;
  }
  const style = textStyle(process.stdout);
  return reports
    .map(([name, { sections }]) => {
      const title = isSeveral ? `${style.colors.bold(`── ${harmless(name)}`)}\n` : '';
      return title + doctorText(sections, style);
    })
    .join('\n');
}

export interface Diagnosis {
  readonly sections: readonly DoctorSection[];
  readonly facts: LogFacts | undefined;
}

export interface DiagnosisOptions extends AuditChoice {
  readonly isProbing: boolean;
  /** How long a probe may take. Default: 15 s. */
  readonly probePatienceMs?: number;
  /** Why the source can't be connected to, where that is known. */
  readonly problem?: unknown;
  /** Ids of checks. */
  readonly ignored: ReadonlySet<string>;
}

/** Everything that is found on both sides. */
export async function diagnose(configuration: Configuration, options: DiagnosisOptions): Promise<Diagnosis> {
  const { isEmbedded, isProbing, probePatienceMs, ignored, problem } = options;
  const [source, audit] = await Promise.all([
    sourceSection(configuration, { isLagIgnored: ignored.has('lag'), problem }),
    auditSection(configuration, options),
  ]);
  const { facts } = audit;
  const patience = probePatienceMs === undefined ? {} : { patienceMs: probePatienceMs };
  const probed =
    isProbing && facts ? await probe({ configuration, isEmbedded, log: facts.log, ...patience }) : undefined;
  const added = [
    ...(facts ? [checkCaptured(facts.recent, probed)] : []),
    ...(probed ? [probed] : []),
    ...(source.clock || audit.clock ? [checkClocks(source.clock, audit.clock)] : []),
  ];
  return { sections: [source, withFindings(audit, added)].map((each) => ignoring(each, ignored)), facts };
}

function withFindings(side: DoctorSection, added: readonly Finding[]): DoctorSection {
  const { id, title, connection, findings, exitCode } = side;
  const all = section({ id, title }, connection ?? '', [...findings, ...added]);
  return { ...all, connection, exitCode: exitCode === 2 ? 2 : all.exitCode };
}

/** What is meant to be as it is counts as not known. */
function ignoring(side: DoctorSection, ignored: ReadonlySet<string>): DoctorSection {
  if (ignored.size === 0) return side;
  const findings = side.findings.map((finding): Finding => {
    if (!ignored.has(finding.id) || finding.verdict === 'ok') return finding;
    return { ...finding, verdict: 'unknown', title: `${finding.title} (ignored)`, fix: '', sql: [] };
  });
  const all = section(side, side.connection ?? '', findings);
  return { ...side, findings, exitCode: side.exitCode === 2 ? 2 : all.exitCode };
}

function ignoredIds(text: string | undefined): ReadonlySet<string> {
  const ids = (text ?? '')
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  for (const id of ids) {
    if (checkIds.includes(id)) continue;
    const nearest = nearestName(id, checkIds);
    throw usageError(
      `--ignore ${JSON.stringify(id)} is no check`,
      nearest === undefined ? 'bemi doctor --json has the id of each.' : `Did you mean ${nearest}?`,
    );
  }
  return new Set(ids);
}

function numberOf(flag: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/u.test(text) && number <= most) return number;
  throw usageError(
    `${flag} "${text}" is not a whole number from 0 to ${most}`,
    'bemi doctor --help shows what it takes.',
  );
}
