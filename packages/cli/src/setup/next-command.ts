import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { Configuration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import type { TextStyle } from '../presentation/text-style.ts';
import type { WrittenEnvironment } from './worker-environment.ts';

export interface SetupOutcome extends WrittenEnvironment {
  readonly configuration: Configuration;
  readonly snapshot: SourceSnapshot;
  readonly wanted: Wanted;
}

/** How `bemi setup` ends: where it wrote what, and the next command to run. */
export function nextCommand(outcome: SetupOutcome, style: TextStyle): string {
  const { colors } = style;
  const { configuration, file, workerRole, wanted, snapshot } = outcome;
  const rows: [string, string][] = [
    [
      'Worker',
      `.bemi/worker.env ${file === 'written' ? 'is written, readable by you alone' : 'is as it was'}`,
    ],
  ];
  if (workerRole === undefined) {
    rows.push([
      'Password',
      `the role ${harmless(wanted.role?.name ?? '')} existed already, so its password isn't known here:\n` +
        'set BEMI_DATABASE_URL to its URL, in the environment or in .bemi/worker.env',
    ]);
  } else if (!wanted.role && snapshot.role.isSuperuser && workerRole === snapshot.role.name) {
    rows.push([
      'Role',
      colors.yellow(
        `the worker will connect as ${harmless(workerRole)}, a superuser; --role bemi_replication makes one that can't write`,
      ),
    ]);
  }
  if (outcome.isOverridden) {
    rows.push(['Mind', colors.yellow('BEMI_DATABASE_URL in the environment goes before the file: unset it')]);
  }
  const { file: configured } = configuration;
  if (configured && configured.sources.length > 0 && file === 'written') {
    rows.push([
      'Mind',
      colors.yellow(`the worker goes by ${harmless(configured.name)}: write the source's URL and slot there`),
    ]);
  }
  if (configuration.destinationUrl === undefined) {
    rows.push(
      [
        'Next',
        `${colors.cyan(`${invocation()} worker --embedded`)}   keeps the trail in a PostgreSQL of its own, in ./.bemi`,
      ],
      [
        'Or',
        `${colors.cyan(`${invocation()} worker`)}   with BEMI_DESTINATION_URL=postgres://role:password@host:5432/database`,
      ],
    );
  } else {
    rows.push(['Next', colors.cyan(`${invocation()} worker`)]);
  }
  return labelledLines(rows, style);
}
