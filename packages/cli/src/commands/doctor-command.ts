import { Command } from 'commander';
import type { DoctorFlags } from '../doctor/run-doctor.ts';

/** `bemi doctor` */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('what is wrong, and how to put it right')
    .description(
      'Looks at the source and the audit database, changes nothing, and says of each thing that matters whether it is as ' +
        'it should be, what was seen, and, where it is not, the SQL or the command that cures it.',
    )
    .option('--json', 'one JSON object, for programs')
    .option('--source <name>', 'whose log, where the audit database holds several')
    .option('--embedded', 'look at the embedded audit database in ./.bemi')
    .option(
      '--max-without-context <percent>',
      "of a table's recent changes, how many may have none (default: 5)",
    )
    .option('--entries <count>', 'what counts as recent: the newest of the log (default: 100000)')
    .addHelpText(
      'after',
      `
Examples:
  bemi doctor
  bemi doctor --json | jq '.sections[].findings[] | select(.verdict != "ok")'
  bemi doctor --json | jq -r '.sections[].findings[].sql[]'      the SQL that cures what SQL can
  bemi doctor --entries 1000000 --max-without-context 0

Exits with 1 on any finding, a warning too. What can't be looked at is said to be unknown, and is no finding.`,
    )
    .action(async (flags: DoctorFlags) => {
      const { runDoctor } = await import('../doctor/run-doctor.ts');
      await runDoctor(flags);
    });
}
