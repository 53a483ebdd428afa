import pg from 'pg';
import { type Finding, ok, problem } from './finding.ts';
import { plainText, providerOf } from './providers/recognise.ts';
import { mayReplicate, type ServerSnapshot, type SourceSnapshot, type Wanted } from './source-snapshot.ts';

/** Whether the worker's role may stream: the one that is wanted by name, else the one that is connected. */
export function checkRole(snapshot: SourceSnapshot, wanted: Wanted): readonly Finding[] {
  const role = wanted.role ? snapshot.namedRole : snapshot.role;
  if (!role) {
    const name = wanted.role?.name ?? '';
    return [
      problem(
        'failure',
        'role',
        `The role ${name} does not exist`,
        'pg_roles does not have it',
        `Make it: bemi setup --role ${name}`,
      ),
    ];
  }
  if (!mayReplicate(role)) {
    const { advice, sql } = replicationFix(snapshot.server, role.name);
    return [
      problem(
        'failure',
        'role',
        `The role ${role.name} may not read the WAL`,
        'it has no REPLICATION',
        advice,
        sql,
      ),
    ];
  }
  if (!role.canLogin) {
    return [
      problem(
        'failure',
        'role',
        `The role ${role.name} may not log in`,
        'it has no LOGIN',
        'Run as a superuser:',
        [`ALTER ROLE ${pg.escapeIdentifier(role.name)} WITH LOGIN;`],
      ),
    ];
  }
  const how = role.isSuperuser ? 'a superuser' : role.hasReplication ? 'REPLICATION' : 'rds_replication';
  return [ok('role', `The role ${role.name} may read the WAL`, how)];
}

/** How a role comes to read the WAL; AWS has a role for it, because nobody there may give the attribute. */
export function replicationFix(
  server: Pick<ServerSnapshot, 'provider'>,
  role: string,
): { readonly advice: string; readonly sql: readonly string[] } {
  const quoted = pg.escapeIdentifier(role);
  const { administrator, replication } = providerOf(server.provider);
  const advice = `Run as ${plainText(administrator)}:`;
  return replication.membership === undefined
    ? { advice, sql: [`ALTER USER ${quoted} WITH REPLICATION;`] }
    : { advice, sql: [`GRANT ${replication.membership} TO ${quoted};`] };
}
