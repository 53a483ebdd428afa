import pg from 'pg';
import { replicationFix } from './check-role.ts';
import type { ConnectionAttempt, ConnectionExplanation } from './connection-attempt.ts';
import { describeTarget } from './connection-string.ts';
import { plainText, providerOf, providerOfHost } from './providers/recognise.ts';
import { serverRoutineOf } from './sql-state.ts';

/** Explains an error that the server reported, by its SQLSTATE. */
export function explainServerError(
  error: unknown,
  state: string,
  attempt: ConnectionAttempt,
): ConnectionExplanation {
  // A missing publication is said as such: it is missing for what comes after, too.
  const isUnsendable = attempt.sending !== undefined && isOfData(state) && state !== '42704';
  const explain = isUnsendable
    ? unsendable
    : (bySqlState[state] ?? bySqlStateClass[state.slice(0, 2)] ?? unexplained);
  const { code, message, fix, retry = true } = explain(attempt, error);
  return { code, message: `${message} (${describeTarget(attempt.target)}, SQLSTATE ${state})`, fix, retry };
}

interface Explained {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  /** Default true. */
  readonly retry?: boolean;
}

type Explain = (attempt: ConnectionAttempt, error: unknown) => Explained;

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const bySqlState: Readonly<Record<string, Explain>> = {
  '28P01': ({ database, target }) => ({
    code: 'password',
    message: `The ${database} database refused role ${target.role} or its password`,
    fix:
      `Correct the password in ${target.setting}, or set a new one as a superuser:\n` +
      `ALTER USER ${pg.escapeIdentifier(target.role)} WITH PASSWORD '…';`,
  }),
  '28000': (attempt, error) =>
    // This routine looks up the role; all others of this SQLSTATE compare the connection with pg_hba.conf.
    serverRoutineOf(error) === 'InitializeSessionUserId' ? noSuchRole(attempt) : notAdmitted(attempt),
  '3D000': ({ database, target }) => ({
    code: 'no-database',
    message: `The ${database} server has no database ${target.database}`,
    fix:
      `Correct the name in ${target.setting}, or make it:\n` +
      `CREATE DATABASE ${pg.escapeIdentifier(target.database)};`,
  }),
  '42501': notPermitted,
  '42704': missingObject,
  '53300': ({ database, phase }) => ({
    code: 'too-many-connections',
    message: `The ${database} server takes no more connections`,
    fix:
      (phase === 'connect-replication'
        ? 'Either max_wal_senders or max_connections is used up (SELECT * FROM pg_stat_replication;).'
        : 'max_connections, or the limit of the role or the database, is used up (SELECT * FROM pg_stat_activity;).') +
      ' End connections that nobody needs, or raise the limit and restart the server.',
  }),
  '53400': () => ({
    code: 'free-slots',
    message: 'No replication slot is free on the source server',
    fix:
      'Drop one that nobody needs (SELECT slot_name, plugin, active, restart_lsn FROM pg_replication_slots;), or ' +
      'raise max_replication_slots and restart the server.',
  }),
  '55000': (attempt, error) => prerequisite(attempt, error),
  '55006': ({ slot }) => ({
    code: 'slot-in-use',
    message: `The replication slot ${slot ?? ''} is in use by another connection`,
    fix:
      'Stop the other worker; if it has just been killed, the server notices within wal_sender_timeout. Who it is: ' +
      `SELECT s.active_pid, a.application_name, a.client_addr FROM pg_replication_slots s ` +
      `LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid WHERE s.slot_name = ${literal(slot)};`,
  }),
  '57P01': interrupted,
  '57P02': interrupted,
  '57P03': ({ database }) => ({
    code: 'starting-up',
    message: `The ${database} server is starting up or shutting down`,
    fix: 'Nothing to do, unless it stays so: then see the log of the server.',
  }),
  '57P05': interrupted,
  '58P01': ({ slot }) => ({
    code: 'slot-health',
    message: `The WAL that the replication slot ${slot ?? ''} needs is gone`,
    fix: 'Replace the slot, and accept the gap: bemi gap accept --reason "…"',
    retry: false,
  }),
  '25006': ({ database }) => ({
    code: 'primary',
    message: `The ${database} server is read-only: a standby, or a primary set so`,
    fix: 'Connect to the primary.',
  }),
};

const bySqlStateClass: Readonly<Record<string, Explain>> = {
  '08': interrupted,
  '53': ({ database }) => ({
    code: 'resources',
    message: `The ${database} server is out of memory, disk or another resource`,
    fix: 'See the log of the server; recording goes on when there is room again.',
  }),
  '57': interrupted,
};

/** Whether an error is about what was to be sent: neither the connection, nor resources, nor somebody's intervention. */
function isOfData(state: string): boolean {
  return !['08', '28', '53', '55', '57', '58'].includes(state.slice(0, 2));
}

/** What the walsender can't send, such as a row that is too large with its old version, it can never send. */
function unsendable({ sending }: ConnectionAttempt): Explained {
  return {
    code: 'unsendable',
    message: `The source server can't send the transaction with xid ${sending?.xid}`,
    fix:
      'See the log of the server for why. If that can not be put right, the transaction can be passed over, and the ' +
      `log says so: bemi skip --to ${sending?.skipToLsn} --reason "…"`,
  };
}

function noSuchRole({ database, target }: ConnectionAttempt): Explained {
  return {
    code: 'role',
    message: `The ${database} server has no role ${target.role} that may log in`,
    fix:
      `Correct the role in ${target.setting}, make it by bemi setup, or as a superuser:\n` +
      `ALTER ROLE ${pg.escapeIdentifier(target.role)} WITH LOGIN;`,
  };
}

function notAdmitted({ database, target, provider }: ConnectionAttempt): Explained {
  const known = provider === undefined ? providerOfHost(target.host) : providerOf(provider);
  const forced = known?.tls.isForced ? known.title : undefined;
  const tls = target.usesTls
    ? ''
    : `It may be that it admits TLS only${forced ? `, as ${forced} does` : ''}: add sslmode=require to ` +
      `${target.setting}. Otherwise: `;
  return {
    code: 'not-admitted',
    message: `The ${database} server does not admit this role from this address`,
    fix:
      known && known.unreachable !== '' && providerOfHost(target.host)
        ? `${tls}${plainText(known.unreachable)}`
        : `${tls}add a line to pg_hba.conf, such as "hostssl ${target.database} ${target.role} ADDRESS/32 ` +
          'scram-sha-256", and SELECT pg_reload_conf();',
  };
}

function notPermitted({ database, phase, target, provider }: ConnectionAttempt): Explained {
  if (database === 'source' && phase !== 'create-publication' && phase !== 'inspect' && phase !== 'connect') {
    const { advice, sql } = replicationFix({ provider: provider ?? 'self-managed' }, target.role);
    return {
      code: 'role',
      message: `The role ${target.role} may not replicate`,
      fix: [advice, ...sql].join('\n'),
    };
  }
  if (phase === 'create-publication') {
    return {
      code: 'publication',
      message: `The role ${target.role} may not make the publication`,
      fix: 'Prepare the source as a superuser or its administrator: bemi setup --admin-url URL',
    };
  }
  return {
    code: 'privilege',
    message: `The role ${target.role} lacks a privilege on the ${database} database`,
    fix:
      `Grant it as the owner of the database: GRANT CONNECT${database === 'audit' ? ', CREATE' : ''} ON DATABASE ` +
      `${pg.escapeIdentifier(target.database)} TO ${pg.escapeIdentifier(target.role)};`,
  };
}

function missingObject(attempt: ConnectionAttempt): Explained {
  const found = failureAmong(attempt, ['publication', 'slot']);
  if (found) return found;
  // A slot is looked up when replication starts, the publication only when the first change is decoded.
  if (attempt.phase === 'stream') {
    return {
      code: 'publication',
      message: `The publication ${attempt.publication ?? ''} does not exist, or did not when the change was written`,
      fix:
        'Make it by bemi setup. If it does exist, the slot is older: what was written in between can never be ' +
        'decoded; pass it over, and the log says so: bemi skip --reason "…"',
    };
  }
  return {
    code: 'slot',
    message: `The replication slot ${attempt.slot ?? ''} does not exist`,
    fix:
      'Make it by bemi setup, or as a superuser or a role with REPLICATION:\n' +
      `SELECT pg_create_logical_replication_slot(${literal(attempt.slot)}, 'pgoutput');`,
  };
}

function prerequisite(attempt: ConnectionAttempt, error: unknown): Explained {
  const found = failureAmong(attempt, ['wal-level', 'primary', 'slot', 'slot-health']);
  if (found) return found;
  if (serverRoutineOf(error) === 'CheckLogicalDecodingRequirements') {
    return {
      code: 'wal-level',
      message: 'Logical replication is off on the source server',
      fix: "As a superuser: ALTER SYSTEM SET wal_level = 'logical'; and restart the server. bemi doctor has the details.",
    };
  }
  return {
    code: 'prerequisite',
    message: `The source server cannot serve the replication slot ${attempt.slot ?? ''} in its present state`,
    fix: 'bemi doctor names what is wrong with it, and the fix.',
  };
}

function failureAmong(attempt: ConnectionAttempt, ids: readonly string[]): Explained | undefined {
  const found = attempt.findings?.find((each) => each.verdict === 'failure' && ids.includes(each.id));
  return found && { code: found.id, message: `${found.title}: ${found.evidence}`, fix: found.fix };
}

function interrupted({ database }: ConnectionAttempt): Explained {
  return {
    code: 'interrupted',
    message: `The ${database} server ended the connection`,
    fix: 'Nothing to do, unless it stays so: then see the log of the server.',
  };
}

/** Its message is left out: of an unknown error it may quote values of rows. */
function unexplained({ database, phase }: ConnectionAttempt): Explained {
  return {
    code: 'server-error',
    message: `The ${database} server reported an error (${phase})`,
    fix: 'See the log of the server.',
  };
}

function literal(text = ''): string {
  return pg.escapeLiteral(text).trimStart();
}
