import { bytesText } from './bytes-text.ts';
import { type Finding, ok, problem, unknown } from './finding.ts';
import type { OperationSnapshot } from './inspect-operation.ts';
import { reloadSettingFix } from './restart-setting.ts';
import type { SourceSnapshot } from './source-snapshot.ts';

const id = 'slot-limit';
const gigabyte = 1024 ** 3;

/**
 * Whether what the server keeps for a worker that is away has an end. Without one the disk fills, and the application
 * stops; with one the slot is lost instead, and the log gets a gap.
 *
 * @param alarmingBytes - retained WAL from which on people are told; the limit that is advised leaves them time.
 */
export function checkSlotLimit(
  { server }: SourceSnapshot,
  { keepLimitBytes, idleSlotTimeoutSeconds }: OperationSnapshot,
  alarmingBytes: number,
): readonly Finding[] {
  return [
    keepLimit(server, keepLimitBytes, alarmingBytes),
    ...(idleSlotTimeoutSeconds === undefined ? [] : [idleTimeout(server, idleSlotTimeoutSeconds)]),
  ];
}

function keepLimit(
  server: SourceSnapshot['server'],
  limit: number | undefined,
  alarmingBytes: number,
): Finding {
  if (limit === undefined) {
    return unknown(
      id,
      'Nothing limits the WAL that is kept for the slot',
      'PostgreSQL 12 has no such setting',
    );
  }
  const evidence = `max_slot_wal_keep_size = ${limit < 0 ? '-1' : bytesText(limit)}`;
  const enough = `${Math.max(1, Math.ceil((2 * alarmingBytes) / gigabyte))}GB`;
  if (limit < 0) {
    const { advice, sql } = reloadSettingFix(server, 'max_slot_wal_keep_size', enough);
    return problem(
      'warning',
      id,
      'A worker that is away can fill the disk of the source',
      evidence,
      'Limit what is kept for the slot to what the disk can spare. Past the limit the slot is lost and the log gets a gap, ' +
        `but the application goes on; ${enough} is twice of what alerts tell of. ${advice}`,
      sql,
    );
  }
  if (limit >= alarmingBytes) return ok(id, 'The WAL that is kept for the slot has a limit', evidence);
  const { advice, sql } = reloadSettingFix(server, 'max_slot_wal_keep_size', enough);
  return problem(
    'warning',
    id,
    'The slot is lost before anybody is told',
    `${evidence}, and alerts tell of ${bytesText(alarmingBytes)} and more`,
    `Raise the limit as far as the disk allows, or lower BEMI_RETAINED_WAL_BYTES. ${advice}`,
    sql,
  );
}

function idleTimeout(server: SourceSnapshot['server'], seconds: number): Finding {
  const evidence = `idle_replication_slot_timeout = ${seconds} s`;
  if (seconds === 0) return ok('slot-idle-timeout', 'No slot is lost for being idle', evidence);
  const { advice, sql } = reloadSettingFix(server, 'idle_replication_slot_timeout', '0');
  return problem(
    'warning',
    'slot-idle-timeout',
    'The slot is lost when the worker is away for long',
    evidence,
    `The server then invalidates it, whatever room there is, and the log gets a gap. ${advice}`,
    sql,
  );
}
