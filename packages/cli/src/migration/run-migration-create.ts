import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type ContextTriggers,
  type TriggerKind,
  triggersDown,
  triggersUp,
} from '@bemi-db/source/context-triggers';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { CliError, usageError } from '../cli-error.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { parseTables } from '../setup/tables-argument.ts';

/** The flags of `bemi migration:create`. */
export interface MigrationFlags {
  readonly actor?: true;
  readonly context: boolean;
  readonly tables?: string;
  readonly dir?: string;
  readonly name?: string;
  readonly print?: true;
  readonly down?: true;
}

/** Both files, or none: neither is ever overwritten. */
export async function runMigrationCreate(flags: MigrationFlags): Promise<void> {
  const triggers = wantedTriggers(flags);
  const up = `${heading(triggers)}\n${triggersUp(triggers)}`;
  const down = `-- Takes the triggers of bemi migration:create back. May be run again.\n\n${triggersDown(triggers)}`;
  if (flags.print) return await print(flags.down ? down : up);
  const folder = flags.dir ?? 'migrations';
  const name = fileName(flags.name ?? `${timestamp(new Date())}_bemi_context.sql`);
  const upFile = join(folder, name);
  const downFile = join(folder, name.replace(/\.sql$/u, '.down.sql'));
  mkdirSync(folder, { recursive: true });
  writeNew(upFile, up);
  try {
    writeNew(downFile, down);
  } catch (error) {
    rmSync(upFile);
    throw error;
  }
  await print(writtenText(upFile, downFile, triggers.kinds));
}

function wantedTriggers({ actor, context, tables, print, down, dir, name }: MigrationFlags): ContextTriggers {
  const kinds: TriggerKind[] = [
    ...(context ? (['context'] as const) : []),
    ...(actor ? (['actor'] as const) : []),
  ];
  if (kinds.length === 0)
    throw usageError('--no-context leaves nothing to do', 'Add --actor, or leave it out.');
  if (print && (dir !== undefined || name !== undefined))
    throw usageError('--print writes no file', 'Leave out --dir and --name.');
  if (down && !print)
    throw usageError(
      '--down is for --print',
      'Both files are written where nothing is printed: leave it out.',
    );
  const named = tables === undefined ? 'all' : parseTables(tables);
  if (named.length === 0) throw usageError('--tables names no table', 'Leave it out for all tables.');
  return { kinds, tables: named };
}

function fileName(name: string): string {
  if (name !== basename(name) || name === '' || name.startsWith('.'))
    throw usageError(`--name "${name}" is not the name of a file`, 'The folder is named by --dir.');
  return name.endsWith('.sql') ? name : `${name}.sql`;
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    throw new CliError(
      1,
      'file-exists',
      `${file} exists, and is not overwritten`,
      'Name another one by --name.',
      {
        cause,
      },
    );
  }
}

function heading({ kinds, tables }: ContextTriggers): string {
  const what = kinds
    .map((kind) => (kind === 'context' ? 'the context that clients give' : 'the database user'))
    .join(' and ');
  return `-- Bemi: statement triggers that send ${what}, on ${tables === 'all' ? 'all tables' : 'the named tables'}.
-- For clients that no driver can be wrapped for: docs/context/triggers.md. May be run again; it does what is missing.
-- Run it as the owner of the tables, who needs CREATE on the database.
`;
}

/** As most tools order migrations: 20261122103000, in UTC. */
function timestamp(now: Date): string {
  return now.toISOString().replaceAll(/[-:T]/gu, '').slice(0, 14);
}

function writtenText(upFile: string, downFile: string, kinds: readonly TriggerKind[]): string {
  const { colors } = textStyle(process.stdout);
  const lines = [
    `${colors.green('✓')} ${harmless(upFile)}`,
    `${colors.green('✓')} ${harmless(downFile)}  ${colors.dim('takes it back')}`,
    '',
    `  Next    run it by your migration tool, or: psql -1 -f ${harmless(upFile)} "$DATABASE_URL"`,
  ];
  if (kinds.includes('context')) {
    lines.push(
      `  Then    say who it is, in the transaction of the changes:`,
      `          SELECT set_config('bemi.context', '{"userId":"42"}', true)`,
    );
  }
  lines.push('  Later   tables that are made later get theirs by: SELECT bemi_context.attach()');
  return `${lines.join('\n')}\n`;
}
