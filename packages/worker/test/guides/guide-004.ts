import { sqlBlocks, typed } from './guide-blocks.ts';

const blocks = sqlBlocks('004');
const text = (heading: string, lead = /^/): string =>
  typed(blocks.find((block) => block.heading.startsWith(heading) && lead.test(block.lead))!);

/** Guide 004's SQL, as a person types it. Step 1 is the server's own settings. */
export const guide004 = {
  settings: { wal_level: 'logical', max_replication_slots: '4', max_wal_senders: '4' },
  verifyRds: text('Production (AWS RDS)'),
  step2: text('Step 2', /Create dedicated user/),
  verifyStep2: text('Step 2', /Verify/),
  step4: text('Step 4', /Enable for all tables/),
  verifyStep4: text('Step 4', /Verify/),
  step4PerTable: text('Step 4', /Alternative/),
  lag: text('Check Replication Lag'),
  walGrowth: text('Check WAL Growth'),
  issue1: text('Issue 1'),
  issue2: text('Issue 2'),
  issue3: text('Issue 3'),
  issue5: text('Issue 5'),
  leastPrivilege: text('1. Replication User Permissions'),
  rotation: text('3. Credential Rotation'),
} as const;
