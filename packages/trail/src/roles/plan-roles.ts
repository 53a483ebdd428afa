import pg from 'pg';
import { migrationScript } from '../migrate.ts';
import type { OwnedThing, TrailRolesSnapshot } from './inspect-roles.ts';
import {
  openFunctions,
  TrailRolesError,
  type WantedTrailRoles,
  writerInserts,
  writerReads,
} from './trail-roles.ts';

/** One step that brings an audit database nearer to what is wanted: the same form as a step for a source. */
export interface TrailRolesStep {
  /** Stable and unique within a plan. */
  readonly id: string;
  readonly kind: 'role';
  /** What it does, for people, in a line. */
  readonly title: string;
  /** The exact statements, with their semicolons, in one transaction where there are several. */
  readonly sql: string;
  readonly why: string;
  /** A part of `sql` that must not be seen. */
  readonly secret?: string;
}

/**
 * What is missing until an audit database has its roles and the schema belongs to the owner, in the order in which it must
 * be done; nothing once it is so.
 *
 * @throws {@link TrailRolesError} for what this administrator can't do, and for roles that privileges don't bind.
 */
export function planRoles(snapshot: TrailRolesSnapshot, wanted: WantedTrailRoles): readonly TrailRolesStep[] {
  refuse(snapshot, wanted);
  const isNew = !snapshot.writer || !snapshot.reader;
  const asOwner = [
    ...planOwnership(snapshot, wanted),
    ...snapshot.schema.pending.map((migration) => ({
      ...step(`schema ${migration.name}`, `Bring the schema up to date: ${migration.name}`),
      sql: migrationScript(migration, wanted.owner),
      why: 'What it makes belongs to the owner.',
    })),
    ...planPublicView(snapshot, wanted),
  ];
  if (isNew || asOwner.length > 0 || snapshot.misgranted.length > 0) asOwner.push(grantStep(wanted));
  const steps = [
    ...planAttributes(snapshot, wanted),
    ...planAccounts(snapshot, wanted),
    ...(asOwner.length > 0 ? planMembership(snapshot, wanted) : []),
    ...asOwner,
  ];
  const { name } = snapshot.admin;
  if (steps.length > 0 && (name === wanted.writer || name === wanted.reader)) {
    throw new TrailRolesError(
      'not-admin',
      `Something is missing (${steps[0]?.title}), and ${name} may not make it`,
      'Connect as the administrator: bemi setup --destination postgres://postgres:password@host:5432/database',
    );
  }
  return steps;
}

function step(id: string, title: string): Pick<TrailRolesStep, 'id' | 'kind' | 'title'> {
  return { id, kind: 'role', title };
}

function refuse(snapshot: TrailRolesSnapshot, { owner, writer, reader, accounts }: WantedTrailRoles): void {
  const names = [owner, writer, reader, accounts];
  if (new Set(names).size < names.length) {
    throw new TrailRolesError(
      'same-role',
      'Owner, writer, reader and accounts have to be four roles',
      'Name four.',
    );
  }
  for (const name of names) {
    if (name === '' || Buffer.byteLength(name) > 63 || /^pg_|\$bemi\$/.test(name)) {
      throw new TrailRolesError(
        'role-name',
        `${JSON.stringify(name)} can't be a role`,
        'Choose another name.',
      );
    }
  }
  for (const [name, role] of [
    [writer, snapshot.writer],
    [reader, snapshot.reader],
    [accounts, snapshot.accounts],
  ] as const) {
    const quoted = pg.escapeIdentifier(name);
    if (role?.isSuperuser) {
      throw new TrailRolesError(
        'role-superuser',
        `The role ${name} is a superuser: no privilege binds it`,
        `Choose another name, or run as another superuser: ALTER ROLE ${quoted} NOSUPERUSER;`,
      );
    }
    if (role?.memberOf.includes(owner)) {
      throw new TrailRolesError(
        'role-owner',
        `The role ${name} is a member of ${owner}, and so may change the log`,
        `Choose another name, or: REVOKE ${pg.escapeIdentifier(owner)} FROM ${quoted};`,
      );
    }
  }
  const { owner: hasOwner, writer: hasWriter, reader: hasReader } = snapshot;
  const hasAccounts = snapshot.accounts ?? snapshot.accountsSchemaOwner;
  const missing = names.filter((_, i) => ![hasOwner, hasWriter, hasReader, hasAccounts][i]);
  if (missing.length > 0 && !snapshot.admin.mayCreateRoles) {
    throw new TrailRolesError(
      'no-createrole',
      `${snapshot.admin.name} may not make roles, and ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
      'Run it as a superuser or a role with CREATEROLE: on a hosted server, its administrator.',
    );
  }
  const foreign = snapshot.strangers.find((thing) => !thing.isAdmins);
  if (foreign) {
    throw new TrailRolesError(
      'not-owner',
      `${foreign.name} belongs to ${foreign.owner}, and ${snapshot.admin.name} may not give it away`,
      `Run it as a superuser, or first, as a role that may: GRANT ${pg.escapeIdentifier(foreign.owner)} TO ${pg.escapeIdentifier(snapshot.admin.name)};`,
    );
  }
  if (snapshot.schema.owner === undefined && !snapshot.admin.mayCreateSchema) {
    throw new TrailRolesError(
      'no-create',
      `${snapshot.admin.name} may not make a schema in ${snapshot.database}`,
      `GRANT CREATE ON DATABASE ${pg.escapeIdentifier(snapshot.database)} TO ${pg.escapeIdentifier(snapshot.admin.name)};`,
    );
  }
}

function planAttributes(snapshot: TrailRolesSnapshot, wanted: WantedTrailRoles): TrailRolesStep[] {
  const steps: TrailRolesStep[] = [];
  const [owner, writer, reader] = [wanted.owner, wanted.writer, wanted.reader].map((name) =>
    pg.escapeIdentifier(name),
  );
  if (!snapshot.owner) {
    steps.push({
      ...step('owner create', `Make the role ${wanted.owner}, which owns the trail and can't log in`),
      sql: `CREATE ROLE ${owner} WITH NOLOGIN;`,
      why: 'Nobody works as the owner by accident.',
    });
  }
  for (const [which, quoted, name, secret] of [
    ['writer', writer, wanted.writer, wanted.writerPassword],
    ['reader', reader, wanted.reader, wanted.readerPassword],
  ] as const) {
    const literal = pg.escapeLiteral(secret).trimStart();
    if (!snapshot[which]) {
      steps.push({
        ...step(
          `${which} create`,
          `Make the role ${name}, ${which === 'writer' ? 'which appends: the worker’s' : 'which reads'}`,
        ),
        sql: `CREATE ROLE ${quoted} WITH LOGIN PASSWORD ${literal};`,
        why: 'It has no right but those that it is granted here.',
        secret: literal,
      });
    } else if (!snapshot[which].canLogin) {
      steps.push({
        ...step(`${which} login`, `Let ${name} log in`),
        sql: `ALTER ROLE ${quoted} WITH LOGIN;`,
        why: 'Somebody connects as this role.',
      });
    }
    if (snapshot[which] && !snapshot[which].mayConnect) {
      steps.push({
        ...step(`${which} connect`, `Let ${name} connect to ${snapshot.database}`),
        sql: `GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(snapshot.database)} TO ${quoted};`,
        why: 'PUBLIC may not connect to this database.',
      });
    }
  }
  if (!snapshot.reader?.isReadOnly) {
    steps.push({
      ...step('reader read-only', `Let transactions of ${wanted.reader} be read-only`),
      sql: `ALTER ROLE ${reader} SET default_transaction_read_only = on;`,
      why: 'A second guard: it may not write anyway.',
    });
  }
  return steps;
}

/**
 * The role of the dashboard's accounts, and its schema, which the dashboard fills when it starts. Where another role has the
 * schema already, accounts stay with it.
 */
function planAccounts(snapshot: TrailRolesSnapshot, wanted: WantedTrailRoles): TrailRolesStep[] {
  const { accounts, accountsSchemaOwner, admin } = snapshot;
  if (accountsSchemaOwner !== undefined && accountsSchemaOwner !== wanted.accounts) return [];
  const role = pg.escapeIdentifier(wanted.accounts);
  const literal = pg.escapeLiteral(wanted.accountsPassword).trimStart();
  const steps: TrailRolesStep[] = [];
  if (!accounts) {
    steps.push({
      ...step('accounts create', `Make the role ${wanted.accounts}, which keeps the dashboard’s accounts`),
      sql: `CREATE ROLE ${role} WITH LOGIN PASSWORD ${literal};`,
      why: 'Who may sign in is kept apart from the trail: neither role may touch the other’s tables.',
      secret: literal,
    });
  }
  if (accountsSchemaOwner === undefined) {
    const make = `CREATE SCHEMA bemi_accounts AUTHORIZATION ${role};`;
    const self = pg.escapeIdentifier(admin.name);
    steps.push({
      ...step('accounts schema', `Make the schema bemi_accounts, of ${wanted.accounts}`),
      // To give it away, one must be a member.
      sql: admin.isSuperuser
        ? make
        : ['BEGIN;', `GRANT ${role} TO ${self};`, make, `REVOKE ${role} FROM ${self};`, 'COMMIT;'].join('\n'),
      why: 'The dashboard makes its tables there when it starts.',
    });
  }
  return steps;
}

/** To give something to a role, and to act as it, one must be its member: a superuser is one of every role. */
function planMembership({ admin }: TrailRolesSnapshot, { owner }: WantedTrailRoles): TrailRolesStep[] {
  if (admin.isSuperuser || admin.isOwnersMember) return [];
  return [
    {
      ...step('owner membership', `Let ${admin.name} act as ${owner}`),
      sql: `GRANT ${pg.escapeIdentifier(owner)} TO ${pg.escapeIdentifier(admin.name)};`,
      why: 'To make it the owner, and to bring the schema up to date later.',
    },
  ];
}

function planOwnership(
  { schema, strangers, publicSchema, admin }: TrailRolesSnapshot,
  wanted: WantedTrailRoles,
): TrailRolesStep[] {
  const owner = pg.escapeIdentifier(wanted.owner);
  if (schema.owner === undefined) {
    return [
      {
        ...step('schema create', `Make the schema bemi, of ${wanted.owner}`),
        sql: `CREATE SCHEMA bemi AUTHORIZATION ${owner};`,
        why: 'Everything of the trail is in it.',
      },
    ];
  }
  if (strangers.length === 0) return [];
  // The new owner of a view in public has to be allowed to make one there.
  const isGranted =
    !admin.isSuperuser && !publicSchema.mayOwnerCreate && strangers.some(({ name }) => isPublic(name));
  if (isGranted && !publicSchema.mayAdminGrantCreate) {
    throw new TrailRolesError(
      'public-changes',
      `public.changes can't be given to ${wanted.owner}, which may not create in the schema public`,
      `Run it as a superuser, or drop the view: bemi.changes is the same.`,
    );
  }
  const former = [...new Set(strangers.map((thing) => thing.owner))].join(', ');
  return [
    {
      ...step(
        'ownership',
        `Give the trail (${strangers.length} objects of ${former}) to ${wanted.owner}; restart a worker that connects as ${former}`,
      ),
      sql: [
        'BEGIN;',
        ...(isGranted ? [`GRANT CREATE ON SCHEMA public TO ${owner};`] : []),
        ...strangers.map((thing) => `ALTER ${kindName(thing)} ${thing.name} OWNER TO ${owner};`),
        ...(isGranted ? [`REVOKE CREATE ON SCHEMA public FROM ${owner};`] : []),
        'COMMIT;',
      ].join('\n'),
      why: 'Whoever owns a table may do anything to it: the worker must not.',
    },
  ];
}

function kindName({ kind }: OwnedThing): string {
  return kind.toUpperCase();
}

function isPublic(name: string): boolean {
  return name.startsWith('public.');
}

/** The first migration makes public.changes where its role may: the owner may not, from PostgreSQL 15 on. */
function planPublicView(
  { schema, publicSchema }: TrailRolesSnapshot,
  wanted: WantedTrailRoles,
): TrailRolesStep[] {
  const isFirst = schema.pending.some(({ number }) => number === 1);
  if (!isFirst || publicSchema.hasChanges || publicSchema.mayOwnerCreate || !publicSchema.mayAdminGrantCreate)
    return [];
  const owner = pg.escapeIdentifier(wanted.owner);
  return [
    {
      ...step('public view', 'Make the view public.changes'),
      sql: [
        'BEGIN;',
        `GRANT CREATE ON SCHEMA public TO ${owner};`,
        `SET LOCAL ROLE ${owner};`,
        'CREATE OR REPLACE VIEW public.changes AS SELECT * FROM bemi.changes;',
        'RESET ROLE;',
        `REVOKE CREATE ON SCHEMA public FROM ${owner};`,
        'COMMIT;',
      ].join('\n'),
      why: 'The name that people look for first.',
    },
  ];
}

/** All grants in one statement: whatever the migrations made, without a moment in which the worker lacks one. */
function grantStep({ owner, writer, reader }: WantedTrailRoles): TrailRolesStep {
  const literal = (text: string) => pg.escapeLiteral(text).trimStart();
  return {
    ...step('grants', `Let ${writer} read and append, and ${reader} read; nothing else`),
    sql: `DO $bemi$
DECLARE
  writer CONSTANT text := quote_ident(${literal(writer)});
  reader CONSTANT text := quote_ident(${literal(reader)});
  thing record;
BEGIN
  SET LOCAL ROLE ${pg.escapeIdentifier(owner)};
  EXECUTE format('REVOKE CREATE ON SCHEMA bemi FROM PUBLIC, %s, %s', writer, reader);
  EXECUTE format('GRANT USAGE ON SCHEMA bemi TO %s, %s', writer, reader);
  FOR thing IN
    SELECT c.oid::regclass AS name, c.relispartition AS is_partition,
           n.nspname = 'bemi' AND c.relname IN (${writerInserts.map(literal).join(', ')}) AS is_appended,
           n.nspname = 'bemi' AND c.relname IN (${writerReads.map(literal).join(', ')}) AS is_secret
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v') AND pg_get_userbyid(c.relowner) = ${literal(owner)}
       AND (n.nspname = 'bemi' OR n.nspname = 'public' AND c.relname = 'changes')
  LOOP
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM PUBLIC, %s, %s', thing.name, writer, reader);
    -- A partition is read and filled through its parent.
    CONTINUE WHEN thing.is_partition;
    EXECUTE format('GRANT SELECT ON %s TO %s', thing.name, writer);
    EXECUTE format(CASE WHEN thing.is_secret THEN 'REVOKE SELECT ON %s FROM %s, PUBLIC' ELSE 'GRANT SELECT ON %s TO %s' END, thing.name, reader);
    IF thing.is_appended THEN EXECUTE format('GRANT INSERT ON %s TO %s', thing.name, writer); END IF;
  END LOOP;
  FOR thing IN
    SELECT p.oid::regprocedure AS name, p.proname IN (${openFunctions.map(literal).join(', ')}) AS is_open
      FROM pg_proc p WHERE p.pronamespace = 'bemi'::regnamespace AND p.prosecdef
  LOOP
    EXECUTE format(CASE WHEN thing.is_open THEN 'GRANT EXECUTE ON FUNCTION %s TO PUBLIC, %s' ELSE 'REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, %s' END, thing.name, reader);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', thing.name, writer);
  END LOOP;
END $bemi$;`,
    why: 'INSERT is enough to record. The functions check their arguments, and run with the rights of the owner.',
  };
}
