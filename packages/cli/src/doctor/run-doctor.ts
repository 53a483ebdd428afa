import { configurationError, usageError } from '../cli-error.ts';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { auditSection } from './audit-section.ts';
import { doctorText } from './doctor-text.ts';
import { sourceSection } from './source-section.ts';

/** The flags of `bemi doctor`. */
export interface DoctorFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
  readonly entries?: string;
  readonly maxWithoutContext?: string;
}

const defaultEntries = 100_000;
const defaultMaximumWithout = 5;

/** Both sides are looked at, as far as each can be reached. */
export async function runDoctor(flags: DoctorFlags): Promise<void> {
  const newestEntries = numberOf('--entries', flags.entries ?? String(defaultEntries), 10_000_000);
  const maximumWithout = numberOf(
    '--max-without-context',
    flags.maxWithoutContext ?? String(defaultMaximumWithout),
    100,
  );
  const configuration = loadConfiguration();
  const hasAudit = configuration.destinationUrl !== undefined || flags.embedded || hasEmbedded(bemiFolder());
  if (configuration.databaseUrl === undefined && !hasAudit) {
    throw configurationError(
      'Neither a source nor an audit database is configured',
      'Set BEMI_DATABASE_URL and BEMI_DESTINATION_URL, or prepare a source by: bemi setup --admin-url URL',
    );
  }
  const [source, audit] = await Promise.all([
    sourceSection(configuration),
    auditSection(configuration, {
      isEmbedded: flags.embedded === true,
      source: flags.source,
      newestEntries,
      maximumWithout,
    }),
  ]);
  const sections = [source, audit];
  if (flags.json) await print(`${JSON.stringify(doctorJson(sections, audit.contextShare))}\n`);
  else await print(doctorText(sections, textStyle(process.stdout)));
  process.exitCode = Math.max(...sections.map(({ exitCode }) => exitCode));
}

function doctorJson(
  sections: readonly Awaited<ReturnType<typeof sourceSection>>[],
  contextShare: Awaited<ReturnType<typeof auditSection>>['contextShare'],
): object {
  return {
    sections: sections.map(({ id, connection, findings }) => ({
      id,
      connection: connection ?? null,
      findings,
    })),
    contextShare: contextShare ?? null,
  };
}

function numberOf(flag: string, text: string, most: number): number {
  const number = Number(text);
  if (/^\d+$/u.test(text) && number <= most) return number;
  throw usageError(
    `${flag} "${text}" is not a whole number from 0 to ${most}`,
    'bemi doctor --help shows what it takes.',
  );
}
