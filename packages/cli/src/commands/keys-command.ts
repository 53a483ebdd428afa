import { Command } from 'commander';
import type { ContextKeyFlags, CreateKeyFlags, RevokeKeyFlags } from '../context-keys/run-context-keys.ts';
import type { ReplaceFlags, ShowFlags, SigningKeyFlags } from '../signing-keys/run-signing-keys.ts';
import { logOptions } from './log-options.ts';

/** `bemi keys` */
export function keysCommand(): Command {
  return new Command('keys')
    .summary('the keys of applications, and the keys that sign the log')
    .description(
      'Makes and revokes the keys by which applications sign their contexts, and shows and changes the key that signs ' +
        'the log.',
    )
    .addHelpText(
      'after',
      `
Examples:
  bemi keys create --name web            a key for an application, as BEMI_API_KEY
  bemi keys list
  bemi keys revoke Yq3vB7Rk --after 24h  once the application has another one
  bemi keys signing show                 what auditors check the log by`,
    )
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addCommand(signingCommand());
}

function createCommand(): Command {
  return logOptions(new Command('create'))
    .summary("a key by which an application's contexts are authentic")
    .description(
      'Makes a key and prints it, this once. With it in its environment as BEMI_API_KEY, the application signs its ' +
        'contexts. The audit database keeps it encrypted with BEMI_ENCRYPTION_KEY, which the worker needs too.',
    )
    .option('--name <text>', 'what it is for; stays in the log')
    .option('--by <who>', 'who makes it; stays in the log')
    .option('--wait <seconds>', 'how long to wait for the worker (default: 60)')
    .addHelpText(
      'after',
      `
Examples:
  bemi keys create --name web
  BEMI_API_KEY=$(bemi keys create --name web)

To change keys without a gap: create one, give it to the application, then revoke the old one --after a while.`,
    )
    .action(async (flags: CreateKeyFlags) => (await loadContextKeys()).createContextKey(flags));
}

function listCommand(): Command {
  return logOptions(new Command('list'))
    .summary('the keys of applications, without the keys')
    .action(async (flags: ContextKeyFlags) => (await loadContextKeys()).listContextKeys(flags));
}

function revokeCommand(): Command {
  return logOptions(new Command('revoke'))
    .summary('contexts signed with a key are authentic no longer')
    .description(
      'Ends a key. Transactions that are committed from then on have no authentic context by it; what was recorded ' +
        'before stays as it is. A key that was revoked does not come back.',
    )
    .argument('<id>', 'the 8 characters that bemi keys list shows')
    .option('--after <time>', 'not now, but in 30m, 24h, 7d: until then the new key is taken up')
    .option('--by <who>', 'who revokes it; stays in the log')
    .option('--wait <seconds>', 'how long to wait for the worker (default: 60)')
    .action(async (id: string, flags: RevokeKeyFlags) =>
      (await loadContextKeys()).revokeContextKey(id, flags),
    );
}

function loadContextKeys(): Promise<typeof import('../context-keys/run-context-keys.ts')> {
  return import('../context-keys/run-context-keys.ts');
}

/** `bemi keys signing` */
function signingCommand(): Command {
  return new Command('signing')
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
  return withCommonOptions(new Command('show'))
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
  return withCommonOptions(new Command('rotate'))
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
  return withCommonOptions(new Command('replace'))
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
