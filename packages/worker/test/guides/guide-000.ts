import { sqlBlocks, typed } from './guide-blocks.ts';

const [readOnly, manual, add, drop] = sqlBlocks('000');

/** Guide 000's SQL, as a person types it. RDS's role stands in as an ordinary one. */
export const guide000 = {
  standIn: `CREATE ROLE rds_replication NOLOGIN REPLICATION;`,
  readOnlyCredentials: typed(readOnly!, { username: 'bemi_reader', password: 'password' }),
  manualCredentials: typed(manual!, {
    ...{ username: 'bemi_reader', password: 'password' },
    ...{ table1: '"Patient"', table2: '"Prescription"' },
  }),
  addTable: typed(add!, { table3: '"Note"' }),
  dropTable: typed(drop!, { table3: '"Note"' }),
} as const;
