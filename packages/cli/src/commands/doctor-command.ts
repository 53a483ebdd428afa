import { Command } from 'commander';
import type { DoctorFlags } from '../doctor/run-doctor.ts';

/** `bemi doctor` */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('what is wrong, and how to put it right')
    .description(
      'Goes through the production checklist, and everything else that matters. Looks at the source and the audit database, changes nothing (--probe leaves an event in the log), and says of each thing that matters whether it is as ' +
        'it should be, what was seen, and, where it is not, the SQL or the command that cures it.',
    )
    .option('--json', 'one JSON object, for programs')
    .option(
      '--source <name>',
      'one source alone, of those that are configured or were added in the dashboard',
    )
    .option('--embedded', 'look at the embedded audit database in ./.bemi')
    .option(
      '--max-without-context <percent>',
      "of a table's recent changes, how many may have none (default: 5)",
    )
    .option('--entries <count>', 'what counts as recent: the newest of the log (default: 100000)')
    .option('--context-members <names>', 'what contexts should have (default: userId,accessReason)')
    .option('--probe', 'send a message through the source, and wait until the worker has recorded it')
    .option('--sql', 'only the SQL that cures what SQL can cure, for psql')
    .option('--ignore <ids>', 'checks that count for nothing, with commas between, such as slot-limit,alerts')
    .addHelpText(
      'after',
      `
Examples:
  bemi doctor
  bemi doctor --probe                                            is what is written recorded, and how soon?
  bemi doctor --json | jq '.checklist[] | select(.verdict != "ok")'
  bemi doctor --json | jq '.sections[].findings[] | select(.verdict != "ok")'
  bemi doctor --sql                                              the SQL that cures what SQL can
  bemi doctor --entries 1000000 --max-without-context 0

Exits with 1 on any finding, a warning too. What can't be looked at is said to be unknown, and is no finding.`,
    )
    .action(async (flags: DoctorFlags) => {
      const { runDoctor } = await import('../doctor/run-doctor.ts');
      await runDoctor(flags);
    });
}
