import pg from 'pg';
import { bytesBetween } from './check-lag.ts';
import { type Finding, ok, problem } from './finding.ts';
import { reloadSettingFix } from './restart-setting.ts';
import { slotCreation } from './slot-creation.ts';
import type { ServerSnapshot, SlotSnapshot, SourceSnapshot, Wanted } from './source-snapshot.ts';

const gigabyte = 1024 ** 3;

/** Whether the slot is there, is one that the worker can read, and still holds its WAL. */
export function checkSlot(snapshot: SourceSnapshot, wanted: Wanted): readonly Finding[] {
  const { slot } = snapshot;
  if (!slot) {
    return [
      problem(
        'failure',
        'slot',
        `The replication slot ${wanted.slot} does not exist`,
        'pg_replication_slots does not have it',
        snapshot.publication
          ? 'Make it by bemi setup, or run as a superuser or a role with REPLICATION:'
          : 'Make the publication first: what is written between slot and publication can never be decoded. ' +
              'Then run as a superuser or a role with REPLICATION:',
        [slotCreation(wanted.slot, snapshot.server)],
      ),
    ];
  }
  return [checkKind(slot, snapshot), checkHealth(slot, snapshot)];
}

function replacement(name: string, server: ServerSnapshot): readonly string[] {
  return [
    `SELECT pg_drop_replication_slot(${pg.escapeLiteral(name).trimStart()});`,
    slotCreation(name, server),
  ];
}

function checkKind(slot: SlotSnapshot, { server }: SourceSnapshot): Finding {
  const evidence = slot.plugin === undefined ? 'a physical slot' : `plugin ${slot.plugin}`;
  if (slot.plugin !== 'pgoutput') {
    return problem(
      'failure',
      'slot',
      `The replication slot ${slot.name} is not of the kind that the worker reads`,
      evidence,
      'Set BEMI_REPLICATION_SLOT to a name of its own. Or, if nobody needs this one, replace it:',
      replacement(slot.name, server),
    );
  }
  if (slot.database !== server.database) {
    return problem(
      'failure',
      'slot',
      `The replication slot ${slot.name} belongs to another database`,
      `it is of ${slot.database}, this is ${server.database}`,
      'Slot names are common to all databases of a server: set BEMI_REPLICATION_SLOT to a name of its own. Or, ' +
        'if nobody needs this one, replace it:',
      replacement(slot.name, server),
    );
  }
  const use = slot.activePid === undefined ? 'not in use' : `in use by backend ${slot.activePid}`;
  return ok('slot', `The replication slot ${slot.name} exists`, `${evidence}, ${use}`);
}

/** Twice of what is kept, in whole gigabytes. */
function enoughToKeep({ restartLsn }: SlotSnapshot, { walLsn }: ServerSnapshot): string {
  const kept = bytesBetween(restartLsn, walLsn) ?? 0;
  return `${Math.max(1, Math.ceil((2 * kept) / gigabyte))}GB`;
}

function checkHealth(slot: SlotSnapshot, { server }: SourceSnapshot): Finding {
  const id = 'slot-health';
  if (slot.invalidationReason !== undefined || slot.walStatus === 'lost') {
    return problem(
      'failure',
      id,
      `The replication slot ${slot.name} is lost`,
      slot.invalidationReason === undefined
        ? 'wal_status is lost'
        : `invalidated by the server: ${slot.invalidationReason}`,
      `Changes after ${slot.confirmedFlushLsn ?? 'its last position'} that were not recorded can no longer be ` +
        'read from it. Raise max_slot_wal_keep_size, replace the slot by the SQL below, and accept the gap: ' +
        'bemi gap accept --reason "…".',
      replacement(slot.name, server),
    );
  }
  if (slot.walStatus === 'unreserved') {
    const { advice, sql } = reloadSettingFix(server, 'max_slot_wal_keep_size', enoughToKeep(slot, server));
    return problem(
      'warning',
      id,
      `The replication slot ${slot.name} is about to be lost`,
      'wal_status is unreserved: the next checkpoint may remove WAL that was not recorded',
      'Start the worker now (bemi worker): what it has recorded no longer needs to be kept. To give it time, raise the ' +
        `limit, as far as the disk allows; this is twice of what is kept now. ${advice}`,
      sql,
    );
  }
  const kept = slot.safeWalBytes === undefined ? '' : `, ${slot.safeWalBytes} bytes of WAL until it is lost`;
  return ok(id, 'The slot holds its WAL', `${slot.walStatus ?? 'WAL reserved'}${kept}`);
}
