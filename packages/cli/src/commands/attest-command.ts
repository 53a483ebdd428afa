import { Command } from 'commander';
import type { AttestFlags, AttestMakeFlags } from '../attesting/run-attest.ts';
import { logOptions } from './log-options.ts';

/** `bemi attest` */
export function attestCommand(): Command {
  const command = logOptions(new Command('attest'))
    .helpCommand(false)
    .summary('say in the log what no program can see')
    .description(
      'Records that somebody vouches for what no program can see, such as that a backup was made. bemi doctor goes by it ' +
        'until it is stale.',
    )
    .argument('[kind]', 'what is attested')
    .option('--by <who>', 'who attests it; stays in the log')
    .option('--ref <where>', 'where it can be looked up: a URL, a ticket, a file; stays in the log')
    .option('--note <text>', 'what else is to be said; stays in the log')
    .option('--own', 'a kind of one’s own')
    .option('--wait <seconds>', 'how long to wait for the worker (default: 60)')
    .addHelpText(
      'after',
      `
Kinds, and after how many days each is stale:
  disaster-recovery-plan 90   backup 8   encryption-at-rest 90   network-isolation 90
  monitoring 90   checkpoints-off-host 90   quarantine-review, coverage-review never

Examples:
  bemi attest disaster-recovery-plan --by "J. Doe" --ref https://wiki.example.com/recovery
  bemi attest backup --by cron --ref s3://backups/bemi/2025-12-09.dump     at the end of each backup
  bemi attest penetration-test --own --by "K. Roe" --ref ticket-4711
  bemi attest list

An attestation is an entry of the log: who said it, and when, stays provable.`,
    )
    .action(async (kind: string | undefined, flags: Partial<AttestMakeFlags>) => {
      const { usageError } = await import('../cli-error.ts');
      const { attest } = await import('../attesting/run-attest.ts');
      const { by, ref } = flags;
      if (kind === undefined || by === undefined || ref === undefined) {
        throw usageError(
          'An attestation says what, who, and where it can be looked up',
          'bemi attest backup --by cron --ref s3://backups/bemi/2025-12-09.dump; bemi attest --help lists the kinds.',
        );
      }
      await attest(kind, { ...flags, by, ref });
    });
  command.addCommand(
    logOptions(new Command('list'))
      .summary('what is attested, and what is stale')
      .action(async (_flags: AttestFlags, list: Command) => {
        const { listAttestations } = await import('../attesting/run-attest.ts');
        await listAttestations(list.optsWithGlobals());
      }),
  );
  return command;
}
