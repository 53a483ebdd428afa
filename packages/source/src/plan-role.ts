import pg from 'pg';
import type { PlanStep } from './plan-step.ts';
import { providerOf } from './providers/recognise.ts';
import { mayReplicate, type SourceSnapshot, type TableSnapshot, type WantedRole } from './source-snapshot.ts';
import { displayTables, quoteTable } from './table-name.ts';

/**
 * The guides' read-only role: LOGIN, REPLICATION, and SELECT on what is recorded.
 *
 * @param selected - the tables that it may read; `undefined` means all, also those made later.
 */
export function planRole(
  snapshot: SourceSnapshot,
  role: WantedRole,
  selected: readonly TableSnapshot[] | undefined,
): readonly PlanStep[] {
  return [...planAttributes(snapshot, role), ...planGrants(snapshot, role.name, selected)];
}

function planAttributes(snapshot: SourceSnapshot, wanted: WantedRole): readonly PlanStep[] {
  const role = pg.escapeIdentifier(wanted.name);
  const existing = snapshot.namedRole;
  // Where nobody may give the attribute REPLICATION, membership in a role does the same.
  const { membership } = providerOf(snapshot.server.provider).replication;
  const steps: PlanStep[] = [];
  if (!existing) {
    const secret = wanted.password === undefined ? undefined : pg.escapeLiteral(wanted.password);
    steps.push({
      id: 'role create',
      kind: 'role',
      title: `Make the role ${wanted.name}`,
      sql:
        `CREATE ROLE ${role} WITH LOGIN${membership === undefined ? ' REPLICATION' : ''}` +
        `${secret === undefined ? '' : ` PASSWORD ${secret.trimStart()}`};`,
      why: 'The worker needs to read the WAL, and nothing that writes: no superuser, no INSERT, UPDATE, DELETE.',
      ...(secret === undefined ? {} : { secret: secret.trimStart() }),
    });
  } else if (!existing.canLogin) {
    steps.push({
      id: 'role login',
      kind: 'role',
      title: `Let ${wanted.name} log in`,
      sql: `ALTER ROLE ${role} WITH LOGIN;`,
      why: 'The worker connects as this role.',
    });
  }
  if (existing ? !mayReplicate(existing) : membership !== undefined) {
    steps.push({
      id: 'role replication',
      kind: 'role',
      title: `Let ${wanted.name} read the WAL`,
      sql:
        membership === undefined ? `ALTER ROLE ${role} WITH REPLICATION;` : `GRANT ${membership} TO ${role};`,
      why: 'Without it, the server answers "permission denied" to replication connections and slots.',
    });
  }
  return steps;
}

function planGrants(
  snapshot: SourceSnapshot,
  roleName: string,
  selected: readonly TableSnapshot[] | undefined,
): readonly PlanStep[] {
  const existing = snapshot.namedRole;
  if (existing?.isSuperuser) return [];
  const role = pg.escapeIdentifier(roleName);
  const usable = new Set(existing?.usableSchemas);
  const readable = new Set(existing?.readableTables);
  const schemas = selected ? [...new Set(selected.map((table) => table.schema))] : snapshot.schemas;

  return schemas.flatMap((schema) => {
    const tables = (selected ?? snapshot.tables).filter((table) => table.schema === schema);
    // On a hosted server some schemas are the provider's: what nobody else may grant is not asked for.
    const grantable = tables.filter((table) => table.isAlterable);
    if (tables.length > 0 && grantable.length === 0) return [];
    const quoted = pg.escapeIdentifier(schema);
    const steps: PlanStep[] = [];
    if (!usable.has(schema)) {
      steps.push({
        id: `role usage ${schema}`,
        kind: 'role',
        isDispensable: true,
        title: `Let ${roleName} use schema ${schema}`,
        sql: `GRANT USAGE ON SCHEMA ${quoted} TO ${role};`,
        why: 'SELECT on a table needs USAGE on its schema.',
      });
    }
    const unreadable = grantable.filter((table) => !readable.has(table.oid));
    const isWholeSchema = !selected && grantable.length === tables.length;
    if (unreadable.length > 0) {
      steps.push({
        id: `role select ${schema}`,
        kind: 'role',
        isDispensable: true,
        title: `Let ${roleName} read ${isWholeSchema ? `the tables of ${schema}` : displayTables(unreadable)}`,
        sql: isWholeSchema
          ? `GRANT SELECT ON ALL TABLES IN SCHEMA ${quoted} TO ${role};`
          : `GRANT SELECT ON ${unreadable.map(quoteTable).join(', ')} TO ${role};`,
        why: 'To look at the tables that it records. It may not write to them.',
      });
    }
    if (!selected) steps.push(...planDefaultPrivileges(snapshot, roleName, schema));
    return steps;
  });
}

/**
 * ALTER DEFAULT PRIVILEGES holds only for tables that the role which runs it makes later, so it is said for
 * each owner of tables here: an administrator's own alone would miss those that the application's role makes.
 */
function planDefaultPrivileges(
  snapshot: SourceSnapshot,
  roleName: string,
  schema: string,
): readonly PlanStep[] {
  const owners = snapshot.tables
    .filter((table) => table.schema === schema && table.isAlterable && table.extension === undefined)
    .map((table) => table.owner);
  if (owners.length === 0) owners.push(snapshot.role.name);
  const isGiven = (owner: string) =>
    snapshot.namedRole?.defaultPrivileges.some(
      (given) => given.owner === owner && (given.schema === undefined || given.schema === schema),
    ) ?? false;
  return [...new Set(owners)]
    .filter((owner) => owner !== roleName && !isGiven(owner))
    .map((owner) => ({
      id: `role default privileges ${owner} ${schema}`,
      kind: 'role',
      isDispensable: true,
      title: `Let ${roleName} read tables that ${owner} makes later in ${schema}`,
      sql:
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${pg.escapeIdentifier(owner)} IN SCHEMA ` +
        `${pg.escapeIdentifier(schema)} GRANT SELECT ON TABLES TO ${pg.escapeIdentifier(roleName)};`,
      why: 'GRANT reaches only the tables that exist now.',
    }));
}
