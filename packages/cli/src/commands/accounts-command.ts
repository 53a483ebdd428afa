import { Command } from 'commander';
import type { AccountLinkFlags, AccountsFlags } from '../accounts/run-accounts.ts';

/** `bemi accounts` */
export function accountsCommand(): Command {
  const command = new Command('accounts')
    .summary('who may sign in to the dashboard; a link for whoever can’t any more')
    .description('Lists everybody who has an account of the dashboard.')
    .option('--json', 'one JSON object a line, for programs')
    .option('--embedded', 'those of the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Settings:
  BEMI_DESTINATION_URL   the audit database
  BEMI_ACCOUNTS_URL      where accounts are, if not there as its role

Examples:
  bemi accounts
  bemi accounts link ada@example.com
  bemi accounts link grace@example.com --role admin`,
    )
    .action(async (flags: AccountsFlags) => {
      const { runAccounts } = await import('../accounts/run-accounts.ts');
      await runAccounts(flags);
    });
  command
    .command('link')
    .argument('<address>', 'e-mail address')
    .summary('make a one-time link that sets a new password, or makes an account')
    .description(
      'Prints a one-time link, good for a day: it sets a new password for the account of this address and takes its second factor away. With --role, it makes an account where there is none. That it was made is an entry of the log of accesses.',
    )
    .option('--role <role>', 'viewer, auditor, operator or admin: of an account that is new')
    .option('--json', 'a JSON object, for programs')
    .option('--embedded', 'for the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi accounts link ada@example.com
  bemi accounts link grace@example.com --role admin`,
    )
    .action(async (address: string, flags: AccountLinkFlags) => {
      const { runAccountLink } = await import('../accounts/run-accounts.ts');
      await runAccountLink(address, flags);
    });
  return command;
}
