import { awsRds, rdsParameter, rdsParameterText } from './aws-rds.ts';
import type { Provider } from './provider.ts';

export const awsAurora: Provider = {
  ...awsRds,
  id: 'aws-aurora',
  title: 'AWS Aurora',
  intro: 'Amazon Aurora PostgreSQL, provisioned or Serverless v2.',
  recognisedBy: {
    note: 'the function `aurora_version()`, or a host such as `….cluster-….rds.amazonaws.com`',
    host: /\.cluster-(ro-)?[^.]+\..*\.rds\.amazonaws\.com(\.cn)?$/,
    isAurora: true,
  },
  changeSetting: (setting, value, major) => {
    const parameter = rdsParameter(setting, value);
    return {
      advice:
        `On AWS Aurora, set ${parameter.name} to ${parameter.value} in the cluster parameter group, and reboot the writer ` +
        'instance. The default group can not be changed: make one of your own first, unless the cluster has one.',
      commands: [
        `aws rds create-db-cluster-parameter-group --db-cluster-parameter-group-name bemi-aurora-postgresql${major} ` +
          `--db-parameter-group-family aurora-postgresql${major} --description "logical replication for Bemi"`,
        `aws rds modify-db-cluster-parameter-group --db-cluster-parameter-group-name bemi-aurora-postgresql${major} ` +
          `--parameters ${rdsParameterText(setting, value)}`,
        `aws rds modify-db-cluster --db-cluster-identifier CLUSTER --db-cluster-parameter-group-name bemi-aurora-postgresql${major} --apply-immediately`,
        'aws rds wait db-instance-available --db-instance-identifier WRITER',
        'aws rds reboot-db-instance --db-instance-identifier WRITER',
      ],
      sql: [],
    };
  },
  exampleUrl:
    'postgres://postgres:PASSWORD@app.cluster-c9akciq32.eu-west-1.rds.amazonaws.com:5432/app?sslmode=verify-full',
  mind: [
    'The cluster endpoint (`….cluster-…`) always leads to the writer, also after a failover. The reader endpoint (`….cluster-ro-…`) is a standby.',
    'Aurora Serverless v1 has no logical replication.',
    'Upgrades to another major version are refused while a logical slot exists: drain by `bemi worker --drain`, drop the slot, upgrade, and run setup again. Accept the gap that this is by `bemi gap accept`.',
    'A slot that nobody reads keeps WAL in the cluster volume, which is paid for: alert on `OldestReplicationSlotLag` in CloudWatch.',
  ],
  references: [
    'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Replication.Logical-Configure.html',
    'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithDBClusterParamGroups.html',
  ],
};
