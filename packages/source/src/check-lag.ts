import { parseLsn } from '@bemi-db/replication/lsn';
import { bytesText } from './bytes-text.ts';
import { type Finding, ok, problem, unknown } from './finding.ts';
import type { SourceSnapshot } from './source-snapshot.ts';

export interface LagLimits {
  /** A slot that lags behind by less is healthy. */
  readonly healthyLagBytes: number;
  /** From there on, what the server keeps for the slot is alarming. */
  readonly retainedWalBytes: number;
}

/** How far the log is behind, and what that makes the server keep. That there is a slot is checked elsewhere. */
export function checkLag({ slot, server }: SourceSnapshot, limits: LagLimits): readonly Finding[] {
  if (!slot) return [];
  const lag = bytesBetween(slot.confirmedFlushLsn, server.walLsn);
  const retained = bytesBetween(slot.restartLsn, server.walLsn);
  const isRead = slot.activePid !== undefined;
  return [
    lag === undefined
      ? unknown(
          'lag',
          'How far the log is behind is not known',
          'this role may not ask for pg_current_wal_lsn()',
        )
      : lag < limits.healthyLagBytes
        ? ok('lag', 'The log is up to date', `${bytesText(lag)} of WAL are not recorded yet`)
        : problem(
            'warning',
            'lag',
            'The log is behind',
            `${bytesText(lag)} of WAL are not recorded yet, ${bytesText(limits.healthyLagBytes)} is healthy`,
            isRead
              ? 'A burst of writes passes by itself: look again in a minute. If it does not, the audit database is slow, or out of ' +
                  'reach: see bemi status.'
              : 'Start the worker: bemi worker',
          ),
    retained === undefined
      ? unknown(
          'retained-wal',
          'What the server keeps for the slot is not known',
          'no position of the slot is shown',
        )
      : retained < limits.retainedWalBytes
        ? ok('retained-wal', 'The server keeps little for the slot', `${bytesText(retained)} of WAL`)
        : problem(
            'warning',
            'retained-wal',
            'The server keeps much for the slot',
            `${bytesText(retained)} of WAL, alarming from ${bytesText(limits.retainedWalBytes)}`,
            isRead
              ? 'Something keeps the worker from getting on, or a transaction has been open for long: see bemi status, and ' +
                  'pg_stat_activity by xact_start.'
              : 'Before the disk of the source is full, start the worker: bemi worker',
          ),
  ];
}

/** A reply of the worker may arrive between the two readings. */
/** `undefined` where one of them is not known. */
export function bytesBetween(from: string | undefined, to: string | undefined): number | undefined {
  return from === undefined || to === undefined
    ? undefined
    : Math.max(Number(parseLsn(to) - parseLsn(from)), 0);
}
