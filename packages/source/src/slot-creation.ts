import pg from 'pg';
import type { ServerSnapshot } from './source-snapshot.ts';

const firstVersionWithFailover = 170_000;

/**
 * The statement that makes a slot for the worker. PostgreSQL 17 and later can copy it to standbys, so that recording
 * goes on after a failover. It has to be said when the slot is made, costs nothing where no standby asks for it, takes no
 * other privilege, and is an error on a standby itself.
 *
 * @see https://www.postgresql.org/docs/current/logicaldecoding-explanation.html#LOGICALDECODING-REPLICATION-SLOTS-SYNCHRONIZATION
 */
export function slotCreation(name: string, server: Pick<ServerSnapshot, 'version' | 'isInRecovery'>): string {
  const isFailover = server.version >= firstVersionWithFailover && !server.isInRecovery;
  const options = isFailover ? ', failover => true' : '';
  return `SELECT pg_create_logical_replication_slot(${pg.escapeLiteral(name).trimStart()}, 'pgoutput'${options});`;
}
