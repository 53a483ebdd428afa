import type pg from 'pg';
import { parseTimelineHistory, type TimelineSwitch } from './timeline-history.ts';

export interface SystemIdentity {
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly history: readonly TimelineSwitch[];
}

/** Asks a replication connection who the server is. */
export async function identifySystem(client: pg.Client): Promise<SystemIdentity> {
  const { rows } = await client.query<{ systemid: string; timeline: number | string }>('IDENTIFY_SYSTEM');
  const row = rows[0];
  if (!row) throw new Error('IDENTIFY_SYSTEM returned nothing');
  const timeline = Number(row.timeline);
  if (timeline === 1) return { systemIdentifier: row.systemid, timeline, history: [] };
  const { rows: files } = await client.query<{ content: Buffer | string }>(`TIMELINE_HISTORY ${timeline}`);
  const content = files[0]?.content ?? '';
  return { systemIdentifier: row.systemid, timeline, history: parseTimelineHistory(content.toString()) };
}
