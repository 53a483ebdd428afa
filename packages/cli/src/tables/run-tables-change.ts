import { describeTarget } from '@bemi-db/source/connection-string';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import { inspect } from '@bemi-db/source/inspect';
import { type PlanStep, printableSql } from '@bemi-db/source/plan-step';
import { planTablesAdded, planTablesDropped } from '@bemi-db/source/plan-tables';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import { displayTables, quoteTable, type TableName } from '@bemi-db/source/table-name';
import { publishedElsewhere } from '@bemi-db/source/teardown/inspect-teardown';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type pg from 'pg';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { adminConnection } from '../setup/admin-connection.ts';
import { carryOut } from '../setup/carry-out.ts';
import { chosenIdentity } from '../setup/source-steps.ts';
import { parseTableSelection, selectTables } from '../setup/tables-argument.ts';
import { configurationWith, type SourceFlags } from '../setup/wanted-source.ts';
import { workerRoleName } from './worker-role.ts';

/** The flags of `bemi tables add` and `drop`, as they are typed. */
export interface TablesChangeFlags extends SourceFlags {
  readonly identity?: 'full' | 'default';
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

type PlanChange = (
  client: pg.Client,
  snapshot: SourceSnapshot,
  wanted: Wanted,
) => Promise<readonly PlanStep[]>;

/** Has the changes of tables recorded too: REPLICA IDENTITY, then publication. */
export function addTables(names: readonly string[], flags: TablesChangeFlags): Promise<void> {
  return changeTables('tables add', names, flags, 'is recorded', async (_, snapshot, wanted) =>
    planTablesAdded(snapshot, wanted),
  );
}

/** Ends the recording of tables: out of the publication, then back to the identity that PostgreSQL gives. */
export function dropTables(names: readonly string[], flags: TablesChangeFlags): Promise<void> {
  return changeTables('tables drop', names, flags, 'is not recorded', async (client, snapshot, wanted) => {
    const elsewhere = await publishedElsewhere(client, wanted.publication);
    return planTablesDropped(snapshot, wanted, (table) => elsewhere.has(quoteTable(table)));
  });
}

async function changeTables(
  command: string,
  names: readonly string[],
  flags: TablesChangeFlags,
  asWanted: string,
  planned: PlanChange,
): Promise<void> {
  const configuration = await configurationWith(flags);
  const { url, setWith } = adminConnection(flags, configuration, `${command} ${names.join(' ')}`);
  const selection = parseTableSelection(names.join(','));
  await withSourceDatabase(url, setWith, async ({ client, connection }) => {
    const { slot, publication } = configuration;
    const role = workerRoleName(configuration, connection.target);
    const look = () => inspect(client, { slot, publication, ...(role ? { role: { name: role } } : {}) });
    const before = await look();
    const tables = selectTables(selection, before);
    const wanted: Wanted = {
      ...{ slot, publication, tables },
      identity: flags.identity ?? chosenIdentity(await inspectDdl(client)),
      // Only where it exists: its privileges are setup's otherwise.
      ...(role && before.namedRole ? { role: { name: role } } : {}),
    };
    const steps = await planned(client, before, wanted);
    if (flags.dryRun && !flags.json)
      return await print(steps.map((step) => `${printableSql(step)}\n`).join(''));
    if (flags.dryRun) return await print(`${JSON.stringify(changeJson(tables, steps))}\n`);
    const style = textStyle(process.stdout);
    if (!flags.json) {
      await print(`${style.colors.bold('Source')}  ${harmless(describeTarget(connection.target))}\n`);
    }
    const isOne = tables.length === 1;
    if (steps.length > 0) {
      const left = await carryOut(client, steps, {
        isAgreed: flags.yes === true,
        isQuiet: flags.json === true,
      });
      if (left) throw left;
    } else if (!flags.json) {
      const verb = isOne ? asWanted : asWanted.replace('is', 'are');
      await print(`${style.colors.green('✓')} Nothing to do: ${harmless(displayTables(tables))} ${verb}.\n`);
    }
    if (flags.json) await print(`${JSON.stringify(changeJson(tables, steps))}\n`);
  });
}

function changeJson(tables: readonly TableName[], steps: readonly PlanStep[]): object {
  return {
    tables,
    steps: steps.map((step) => ({ id: step.id, title: step.title, sql: printableSql(step) })),
  };
}
