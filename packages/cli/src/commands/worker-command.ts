import { Command } from 'commander';
import { usageError } from '../cli-error.ts';
import { type SettingFlags, settingFlags, withWorkerOptions } from './worker-options.ts';

interface WorkerFlags extends SettingFlags {
  readonly embedded?: true;
  readonly drain?: true;
  /** False with --no-index. */
  readonly index: boolean;
}

/** `bemi worker` */
export function workerCommand(): Command {
  return withWorkerOptions(new Command('worker'))
    .summary('record changes: the worker alone, with health checks')
    .description(
      'Records every change of the source database into the audit database, exactly once, until it is stopped.',
    )
    .option('--drain', 'record all up to where the source is now, then exit')
    .option('--no-index', 'with --drain: leave it to the next worker to index what was drained for searches')
    .addHelpText(
      'after',
      `
Settings:
  BEMI_DATABASE_URL      the source database, postgres://role:password@host:5432/database
  BEMI_DESTINATION_URL   the audit database; or --embedded
  or bemi.config.yaml, for several sources too: bemi config check prints what is in force

Examples:
  bemi worker
  bemi worker --embedded
  bemi worker --drain && bemi log

SIGTERM and Ctrl-C stop it in order: what is finished is stored. A second one ends it at once.
http://127.0.0.1:4000/healthz answers while it lives, /readyz while it records.`,
    )
    .action(async (flags: WorkerFlags) => {
      if (!flags.index && !flags.drain) {
        throw usageError(
          '--no-index goes with --drain',
          'Leave it out: a worker that goes on running indexes beside recording.',
        );
      }
      const { runWorker } = await import('../recording/run-worker.ts');
      await runWorker({
        flags: settingFlags(flags),
        isEmbedded: flags.embedded === true,
        isDraining: flags.drain === true,
        isIndexing: flags.index,
      });
    });
}
