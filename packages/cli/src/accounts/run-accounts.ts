import type { Person } from '@bemi-db/dashboard/api/account';
import { type Role, roles } from '@bemi-db/dashboard/api/permission';
import { makeAccountLink, readAccounts } from '@bemi-db/dashboard/server/accounts/account-link';
import { createAuditReader } from '@bemi-db/dashboard/server/audit-reader';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { personHere } from '../accesses/person.ts';
import { CliError, usageError } from '../cli-error.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { originOf } from '../dashboard/origin.ts';
import { print, printNote } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';

export interface AccountsFlags {
  readonly json?: true;
  readonly embedded?: true;
}

export interface AccountLinkFlags extends AccountsFlags {
  readonly role?: string;
}

/** `bemi accounts` */
export async function runAccounts(flags: AccountsFlags): Promise<void> {
  await withAccountsDatabase(flags, async ({ accounts }) => {
    const people = await readAccounts(accounts);
    if (flags.json) {
      await print(people.map((person) => `${JSON.stringify(person)}\n`).join(''));
      return;
    }
    if (people.length === 0) {
      await print('Nobody has an account yet. bemi start prints a link that makes the first admin.\n');
      return;
    }
    const { colors } = textStyle(process.stdout);
    const rows = people.map((person) => [
      harmless(person.email),
      person.role ?? 'no role',
      person.tables?.map(harmless).join(', ') ?? 'all tables',
      person.lastSeenAt === null
        ? 'never seen'
        : `seen ${person.lastSeenAt.slice(0, 16).replace('T', ' ')} UTC`,
      ways(person),
    ]);
    const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
    await print(
      rows
        .map(([email, ...others]) => {
          const cells = others.map((text, i) =>
            i === others.length - 1 ? text : text.padEnd(widths[i + 1]!),
          );
          return `${colors.bold(email!.padEnd(widths[0]!))}  ${cells.join('  ')}\n`;
        })
        .join(''),
    );
  });
}

/** `bemi accounts link ADDRESS` */
export async function runAccountLink(email: string, flags: AccountLinkFlags): Promise<void> {
  if (!/^[^\s@]+@[^\s@]+$/.test(email))
    throw usageError(
      `${JSON.stringify(email)} is no e-mail address`,
      'Write bemi accounts link ada@example.com',
    );
  const role = parseRole(flags.role);
  await withAccountsDatabase(flags, async ({ accounts, audit, configuration }) => {
    const { host, port, publicUrl } = configuration;
    const reader = createAuditReader(audit);
    try {
      const link = await makeAccountLink(accounts, {
        ...{ email, role, publicUrl: publicUrl ?? originOf(host, port) },
        record: (subject, action) =>
          reader.record({
            ...{ what: 'account', via: 'cli', command: 'accounts', by: personHere(), subject, action },
          }),
      });
      if (!link)
        throw new CliError(
          1,
          'unknown-account',
          `Nobody has an account with the address ${harmless(email)}`,
          'bemi accounts lists everybody. To make a new account: add --role admin (or viewer, auditor, operator).',
        );
      const { url, person } = link;
      const expiresAt = link.expiresAt.toISOString();
      if (flags.json) {
        await print(`${JSON.stringify({ url, expiresAt, person: person?.id ?? null })}\n`);
        return;
      }
      const what = person
        ? `sets a new password for ${harmless(person.email)} (${person.role ?? 'no role'}), and takes a second factor away`
        : `makes an account for ${harmless(email)} as ${role}`;
      printNote(
        `This link ${what}. It is good once, until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC:\n\n`,
      );
      await print(`${url}\n`);
      if (person?.isDisabled) printNote('\nThe account is disabled: an admin has to enable it as well.\n');
    } finally {
      await reader.close();
    }
  });
}

function parseRole(text: string | undefined): Role | undefined {
  const role = roles.find((each) => each === text);
  if (text !== undefined && role === undefined)
    throw usageError(`--role ${JSON.stringify(text)} is no role`, `Use one of ${roles.join(', ')}.`);
  return role;
}

function ways({ isDisabled, hasPassword, hasSingleSignOn, hasSecondFactor }: Person): string {
  return [
    ...(isDisabled ? ['disabled'] : []),
    ...(hasPassword ? [hasSecondFactor ? 'password and second factor' : 'password'] : []),
    ...(hasSingleSignOn ? ['single sign-on'] : []),
  ].join(', ');
}

interface OpenAccounts {
  readonly accounts: ReturnType<typeof parseConnectionString>['config'];
  readonly audit: ReturnType<typeof parseConnectionString>['config'];
  readonly configuration: Configuration;
}

async function withAccountsDatabase(
  flags: AccountsFlags,
  work: (open: OpenAccounts) => Promise<void>,
): Promise<void> {
  const configuration = loadConfiguration();
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async ({ url }) => {
    const audit = parseConnectionString(url, 'BEMI_DESTINATION_URL').config;
    const { accountsUrl } = configuration;
    const accounts =
      accountsUrl === undefined ? audit : parseConnectionString(accountsUrl, 'BEMI_ACCOUNTS_URL').config;
    await work({ accounts, audit, configuration });
  });
}
