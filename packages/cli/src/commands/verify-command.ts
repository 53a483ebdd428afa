import { Command } from 'commander';
import type { VerifyFlags } from '../verification/run-verify.ts';
import { repeated } from './repeated-option.ts';

/** `bemi verify` */
export function verifyCommand(): Command {
  return new Command('verify')
    .summary('check that nothing was altered, removed or inserted')
    .description(
      'Reads every entry of the log again, recomputes the hash tree, and compares it with every signed checkpoint: those ' +
        'in the audit database, those that the worker keeps beside its key or has published, and those that you give.',
    )
    .option('--log <name>', 'which log, where the audit database holds several')
    .option('--access', 'the log of accesses: who looked at what of the trail')
    .option(
      '-c, --checkpoint <file|dir|url>',
      'a checkpoint that you kept, a directory of them, or where they are published (repeatable)',
      repeated,
    )
    .option(
      '-k, --key <key|file>',
      "the log's verifier key, or a file with it; a PEM file too (repeatable)",
      repeated,
    )
    .option('--from-published <dir|url>', 'verify what the worker published, without the audit database')
    .option('--report <file>', 'write a signed statement for an auditor: FILE.json, FILE.md and FILE.note')
    .option(
      '--parallel <threads>',
      'threads that read, each by a connection, where cores are idle (default: 0)',
    )
    .option('--resume', 'go on with a verification of this log that was interrupted')
    .option('--progress <file>', 'where its progress is kept (default: in the state directory)')
    .option('--save-every <seconds>', 'how often progress is written down (default: 5)')
    .option('--json', 'one JSON object, for programs')
    .option('--embedded', 'read the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi verify
  bemi verify --checkpoint s3://acme-audit/bemi?region=eu-central-1 --key log.vkey
  bemi verify --checkpoint kept/ --json | jq '.findings[0]'
  bemi verify --report 2026-q4 --key log.vkey
  bemi verify --access
  bemi verify --resume
  bemi verify --from-published /var/lib/bemi/published --key log.vkey

Without --key, the key beside the worker is used; without either, the log is believed which key signs it.
What a verification that was interrupted has read is not read again by --resume, and the result says so.
Of the database it reads, and writes nothing: a role with SELECT is enough. No row, key or context is printed.
Exit codes: 0 whole, 1 something was found, 2 wrong usage. docs/verification.md explains each finding.`,
    )
    .action(async (flags: VerifyFlags) => {
      const { runVerify } = await import('../verification/run-verify.ts');
      await runVerify(flags);
    });
}
