import { Command } from 'commander';
import { type SettingFlags, settingFlags, withWorkerOptions } from './worker-options.ts';

interface StartFlags extends SettingFlags {
  readonly embedded?: true;
}

/** `bemi start` */
export function startCommand(): Command {
  return withWorkerOptions(new Command('start'))
    .summary('run Bemi: the worker and the dashboard in one process')
    .description(
      'Records every change, and serves the dashboard and its API on the same port, in one process, until it is stopped.',
    )
    .addHelpText(
      'after',
      `
Settings:
  BEMI_DATABASE_URL      the source database, postgres://role:password@host:5432/database;
                         without one, sources are added in the dashboard
  BEMI_DESTINATION_URL   the audit database; or --embedded
  BEMI_PUBLIC_URL        where people reach the dashboard (default http://localhost:4000)
  or bemi.config.yaml, for several sources too: bemi config check prints what is in force

Examples:
  bemi start
  bemi start --embedded`,
    )
    .action(async (flags: StartFlags) => {
      const { runWorker } = await import('../recording/run-worker.ts');
      await runWorker({
        flags: settingFlags(flags),
        isEmbedded: flags.embedded === true,
        isDraining: false,
        hasDashboard: true,
      });
    });
}
