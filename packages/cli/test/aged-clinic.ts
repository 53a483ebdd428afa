import { splitPartitions } from '../../worker/test/split-partitions.ts';
import { type RecordedClinic, recordedClinic } from './recorded-clinic.ts';

/** A period in days: what was recorded a millisecond ago has expired. */
export const moment = 1e-8;

/** With many partitions, and a last change that was committed after all others were recorded. */
export async function agedClinic(retentionDays: number): Promise<RecordedClinic> {
  const clinic = await recordedClinic(250, retentionDays);
  await clinic.sourceSql.query(`INSERT INTO "Patient" VALUES (1000, 'Last')`);
  await clinic.drain();
  const { rows } = await clinic.auditSql.query<{ size: number }>(
    'SELECT next_sequence::int AS size FROM bemi.logs',
  );
  await splitPartitions(clinic.auditSql, 0, 512, rows[0]!.size);
  return clinic;
}
