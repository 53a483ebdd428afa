import { describeTarget } from '@bemi-db/source/connection-string';
import { inspect } from '@bemi-db/source/inspect';
import { type PlanStep, printableSql } from '@bemi-db/source/plan-step';
import { inspectTeardown, type RoleUse } from '@bemi-db/source/teardown/inspect-teardown';
import { isOurs, planTeardown } from '@bemi-db/source/teardown/plan-teardown';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { print, printNote } from '../output/print.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { adminConnection } from '../setup/admin-connection.ts';
import { carryOut } from '../setup/carry-out.ts';
import { configurationWith, type SourceFlags } from '../setup/wanted-source.ts';
import { workerRoleName } from '../tables/worker-role.ts';

/** The flags of `bemi teardown`, as they are typed. */
export interface TeardownFlags extends SourceFlags {
  readonly role?: string;
  readonly keepSlot?: true;
  readonly keepIdentity?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** Takes everything of Bemi away from the source. The audit database stays as it is. */
export async function runTeardown(flags: TeardownFlags): Promise<void> {
  const configuration = await configurationWith(flags);
  const { url, setWith } = adminConnection(flags, configuration, 'teardown');
  await withSourceDatabase(url, setWith, async ({ client, connection }) => {
    const { slot, publication } = configuration;
    const role = flags.role ?? workerRoleName(configuration, connection.target);
    const look = async () => ({
      snapshot: await inspect(client, { slot, publication }),
      found: await inspectTeardown(client, publication, role),
    });
    const before = await look();
    const options = { keepsSlot: flags.keepSlot === true, keepsIdentities: flags.keepIdentity === true };
    const steps = planTeardown(before.snapshot, { slot, publication }, before.found, options);
    if (flags.dryRun) {
      await print(
        flags.json
          ? `${JSON.stringify(teardownJson(steps))}\n`
          : steps.map((step) => `${printableSql(step)}\n`).join(''),
      );
      return;
    }
    const style = textStyle(process.stdout);
    const isQuiet = flags.json === true;
    if (!isQuiet) {
      await print(`${style.colors.bold('Source')}  ${harmless(describeTarget(connection.target))}\n`);
    }
    if (steps.length > 0) {
      const note = `\n${remains(before.found.role, style)}`;
      const left = await carryOut(client, steps, { isAgreed: flags.yes === true, isQuiet, note });
      if (left) throw left;
    } else if (!isQuiet)
      await print(
        `${style.colors.green('✓')} Nothing of Bemi is left there: no publication ${harmless(publication)}, no slot ${harmless(slot)}, no triggers.\n`,
      );
    if (isQuiet) return await print(`${JSON.stringify(teardownJson(steps))}\n`);
    if (steps.length > 0 && flags.yes) await print(`\n${remains(before.found.role, style)}`);
    const { added } = configuration;
    if (added && !flags.keepSlot)
      printNote(
        `! ${harmless(added.name)} is still a source of the dashboard, and a worker misses its slot: remove it there, under Data sources.\n`,
      );
    if (flags.keepSlot && before.snapshot.slot) {
      printNote(`! The slot ${harmless(slot)} is kept: the server keeps its WAL until it is dropped.\n`);
    }
  });
}

/** What stays, and is somebody's to decide on. */
function remains(role: RoleUse | undefined, { colors }: TextStyle): string {
  const lines = [
    'The audit database stays as it is, with all that is recorded; so does .bemi, with the key that signed it.',
  ];
  if (role && !isOurs(role)) {
    const why = [
      ...(role.owned > 0 ? [`it owns ${countedText(role.owned, 'object')}`] : []),
      ...(role.others.length > 0 ? [`it has ${role.others.join(', ')}, which setup never gives`] : []),
    ];
    lines.push(`The role ${role.name} stays as it is: ${why.join('; ')}.`);
  } else if (role && role.otherDatabases.length > 0) {
    lines.push(`The role ${role.name} stays: it has privileges in ${role.otherDatabases.join(', ')}.`);
  }
  return lines.map((line) => `  ${colors.dim(harmless(line))}\n`).join('');
}

function teardownJson(steps: readonly PlanStep[]): object {
  return { steps: steps.map((step) => ({ id: step.id, title: step.title, sql: printableSql(step) })) };
}
