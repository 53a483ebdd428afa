import pg from 'pg';
import type { ConnectionTarget } from './connection-string.ts';
import { type Finding, ok, problem } from './finding.ts';
import type { ExcessSnapshot, WritableTable } from './inspect-operation.ts';
import { displayTables, quoteTable } from './table-name.ts';
import { addressOf } from './target-address.ts';

/**
 * Whether the worker's role may do no more than it needs: read, and stream.
 *
 * @param target - of the source, for the command that is advised.
 */
export function checkPrivileges(
  role: string,
  excess: ExcessSnapshot,
  target: Pick<ConnectionTarget, 'host' | 'port' | 'database' | 'setting'>,
): Finding {
  const id = 'least-privilege';
  const { attributes, powerfulRoles, ownsDatabase, ownedTables, writableTables } = excess;
  const inborn = [
    ...attributes,
    ...powerfulRoles.map((name) => `a member of ${name}`),
    ...(ownsDatabase ? ['owner of the database'] : []),
    ...(ownedTables.length > 0 ? [`owner of ${displayTables(ownedTables)}`] : []),
  ];
  const writes = writableTables.length > 0 ? [`may write to ${displayTables(unique(writableTables))}`] : [];
  if (inborn.length + writes.length === 0) {
    return ok(id, `The role ${role} may do no more than it needs`, 'no INSERT, UPDATE, DELETE; owns nothing');
  }
  const title = `The role ${role} may do more than it needs`;
  const evidence = [...inborn, ...writes].join('; ');
  if (inborn.length > 0) {
    return problem(
      'warning',
      id,
      title,
      evidence,
      `The worker only reads. Whoever has its password has these rights too. ${ownRole(target)}`,
    );
  }
  const isPublic = writableTables.some((table) => table.isPublic);
  return problem(
    'warning',
    id,
    title,
    evidence,
    `It should have SELECT alone.${isPublic ? ' What is granted to PUBLIC, other roles may rely on: grant it to those first.' : ''} ` +
      'Run as the owner of the tables:',
    revocations(role, writableTables),
  );
}

function ownRole(target: Pick<ConnectionTarget, 'host' | 'port' | 'database' | 'setting'>): string {
  const command = `bemi setup --role bemi_replication --admin-url postgres://ADMIN:PASSWORD@${addressOf(target)}`;
  if (target.setting.startsWith('BEMI_DATABASE_URL'))
    return `Give it a role of its own, and have the worker use the URL that this writes to .bemi/worker.env, in place of BEMI_DATABASE_URL:\n${command}`;
  // What setup writes is for the source of the environment.
  return `Give it a role of its own by the SQL that this prints, with a password in place of :'password', and give the source the URL of that role. --source NAME makes it use the slot and the publication of that source:\n${command} --dry-run`;
}

/** A statement for each schema and each role that it has the rights by, however many tables there are. */
function revocations(role: string, tables: readonly WritableTable[]): readonly string[] {
  const statements = tables.map(({ schema, grantee, isPublic }) => {
    // What another role was granted is the application's.
    if (!isPublic && grantee !== role)
      return `REVOKE ${pg.escapeIdentifier(grantee)} FROM ${pg.escapeIdentifier(role)};`;
    const from = isPublic ? 'PUBLIC' : pg.escapeIdentifier(role);
    return `REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA ${pg.escapeIdentifier(schema)} FROM ${from};`;
  });
  return [...new Set(statements)];
}

function unique(tables: readonly WritableTable[]): readonly WritableTable[] {
  const seen = new Set<string>();
  return tables.filter((table) => {
    const name = quoteTable(table);
    return !seen.has(name) && seen.add(name);
  });
}
