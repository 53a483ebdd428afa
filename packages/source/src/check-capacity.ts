import { type Finding, ok, problem } from './finding.ts';
import { restartSettingFix } from './restart-setting.ts';
import type { ServerSnapshot, SourceSnapshot } from './source-snapshot.ts';

/** What the guide asks for: one for Bemi, and others for a second worker, a backup and a replica. */
const wanted = 4;

/** Whether the server allows as many slots and WAL senders as the guide asks for, whoever uses them. */
export function checkCapacity({ server }: SourceSnapshot): readonly Finding[] {
  return [
    atLeast(server, 'max-replication-slots', 'max_replication_slots', server.maxReplicationSlots),
    atLeast(server, 'max-wal-senders', 'max_wal_senders', server.maxWalSenders),
  ];
}

function atLeast(server: ServerSnapshot, id: string, setting: string, value: number): Finding {
  const evidence = `${setting} = ${value}`;
  if (value >= wanted) return ok(id, `${setting} is at least ${wanted}`, evidence);
  const { advice, sql } = restartSettingFix(server, setting, String(wanted));
  return problem('warning', id, `${setting} is less than ${wanted}`, evidence, advice, sql);
}
