import { Command } from 'commander';
import type { ReplaceFlags, ShowFlags, SigningKeyFlags } from '../signing-keys/run-signing-keys.ts';

/** `bemi keys` */
export function keysCommand(): Command {
  return nested(new Command('keys'))
    .summary('the keys that sign the log')
    .description('Shows and changes the keys that Bemi uses.')
    .addCommand(signingCommand());
}

/** `bemi keys signing` */
function signingCommand(): Command {
  return nested(new Command('signing'))
    .summary("the key that signs a log's checkpoints")
    .description(
      "The key that signs a log's checkpoints lives with the worker: signing-key.pem in its state directory (.bemi, or " +
        'BEMI_STATE_DIR), or BEMI_SIGNING_KEY. Its public half is what auditors check the log by.',
    )
    .addCommand(showCommand())
    .addCommand(rotateCommand())
    .addCommand(replaceCommand());
}

function showCommand(): Command {
  return withCommonOptions(nested(new Command('show')))
    .summary('the public key of each log, to hand to an auditor')
    .description('Prints the verifier key of each log, and its fingerprint.')
    .option('--json', 'one JSON array, for programs')
    .addHelpText(
      'after',
      `
Examples:
  bemi keys signing show
  bemi keys signing show --json | jq -r '.[].key' > log.vkey

Hand it over by another way than the proofs: on paper, by telephone, in a contract.`,
    )
    .action(async (flags: ShowFlags) => (await load()).showSigningKeys(flags));
}

function rotateCommand(): Command {
  return withCommonOptions(nested(new Command('rotate')))
    .summary('sign with a new key from here on')
    .description(
      'Draws a new key, signs with the old one that it takes its place, and asks the worker to sign with it. A running ' +
        'worker does so at once. The old key stays beside the new one; what it signed stays valid.',
    )
    .addHelpText(
      'after',
      `
Examples:
  bemi keys signing rotate

Run it where the worker runs. Every log of this audit database that the old key signs gets the new one.
With BEMI_SIGNING_KEY, it prints what to put there instead of writing a file.`,
    )
    .action(async (flags: SigningKeyFlags) => (await load()).rotateSigningKey(flags));
}

function replaceCommand(): Command {
  return withCommonOptions(nested(new Command('replace')))
    .summary('go on after the key was lost')
    .description(
      'Puts a new key in the place of one that was lost. Nobody can sign for that, so the log keeps who did it and why, ' +
        'and every verification reports it from then on.',
    )
    .option('--reason <text>', 'why; it stands in the log for good')
    .option('--by <name>', 'who answers for it; it stands in the log for good')
    .addHelpText(
      'after',
      `
Examples:
  bemi keys signing replace --reason "disk of the worker lost, no copy" --by "Ingrid Solberg"

A key that you have put into the state directory, or BEMI_SIGNING_KEY, becomes the new one; else one is drawn.`,
    )
    .action(async (flags: ReplaceFlags) => (await load()).replaceSigningKey(flags));
}

function load(): Promise<typeof import('../signing-keys/run-signing-keys.ts')> {
  return import('../signing-keys/run-signing-keys.ts');
}

function withCommonOptions(command: Command): Command {
  return command
    .option('--log <name>', 'only this log, where the audit database holds several')
    .option('--embedded', 'use the embedded audit database in ./.bemi');
}

/** What the program sets for its commands does not reach the commands of a command. */
function nested(command: Command): Command {
  return command
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
}
