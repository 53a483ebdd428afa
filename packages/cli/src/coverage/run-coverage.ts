import { byOid } from '@bemi-db/trail/coverage/coverage-document';
import { type RecordedCoverage, readCoverage } from '@bemi-db/trail/coverage/read-coverage';
import { CliError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { recordedSource } from '../worker-requests/recorded-source.ts';
import { coverageText, isDdlRecorded, missingOf } from './coverage-text.ts';

/** The flags of `bemi coverage`. */
export interface CoverageFlags {
  readonly all?: true;
  readonly strict?: true;
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

/** Prints what the log says last of its coverage. */
export async function runCoverage(flags: CoverageFlags): Promise<void> {
  const configuration = loadConfiguration();
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async ({ client }) => {
    const source = await recordedSource(client, configuration, flags.source);
    const recorded = await readCoverage(client, source.log);
    if (!recorded) {
      throw new CliError(
        1,
        'no-coverage',
        'The log does not say what of the source it covers: no worker of this version has recorded into it',
        `Start one: ${invocation()} worker. It says so before anything else.`,
      );
    }
    if (flags.json) await print(`${coverageJson(source.name, recorded)}\n`);
    else await print(coverageText(source.name, recorded, flags.all === true, textStyle(process.stdout)));
    const isWhole = byOid(recorded.coverage.tables).every(
      (table) => missingOf(table, recorded.coverage).length === 0,
    );
    if (flags.strict && !(isWhole && isDdlRecorded(recorded.coverage.source))) process.exitCode = 1;
  });
}

/** Members: source, asOfLsn, saidAt, since {sequence, at}, publication, eventTriggers, rules, whole, tables (docs/spec/coverage.md, with `missing`). */
function coverageJson(name: string, { coverage, since, sinceTime, saidAt }: RecordedCoverage): string {
  const { asOfLsn, source } = coverage;
  const tables = byOid(coverage.tables).map((table) => ({ ...table, missing: missingOf(table, coverage) }));
  return JSON.stringify({
    source: name,
    asOfLsn,
    saidAt: saidAt.toISOString(),
    since: { sequence: since, at: sinceTime.toISOString() },
    ...source,
    ddlRecorded: isDdlRecorded(source),
    whole: tables.filter(({ missing, kind }) => kind === 'table' && missing.length === 0).length,
    tables,
  });
}
