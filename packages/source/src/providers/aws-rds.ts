import type { Provider, SettingFix } from './provider.ts';

// What AWS calls what PostgreSQL calls otherwise, and won't let anybody set directly. `on` is accepted for 1.
const ownNames: Readonly<Record<string, { readonly name: string; readonly value: string }>> = {
  wal_level: { name: 'rds.logical_replication', value: '1' },
};

/** What AWS calls a setting. */
export function rdsParameter(
  setting: string,
  value: string,
): { readonly name: string; readonly value: string } {
  return ownNames[setting] ?? { name: setting, value };
}

/** As the value of `--parameters`. */
export function rdsParameterText(setting: string, value: string): string {
  const parameter = rdsParameter(setting, value);
  return `"ParameterName=${parameter.name},ParameterValue=${parameter.value},ApplyMethod=pending-reboot"`;
}

/** In a sentence. */
export function rdsFix(setting: string, value: string): string {
  const parameter = rdsParameter(setting, value);
  return (
    `set ${parameter.name} to ${parameter.value} in the instance's parameter group (aws rds ` +
    'modify-db-parameter-group --db-parameter-group-name NAME --parameters ' +
    `${rdsParameterText(setting, value)}), then ` +
    'reboot (aws rds reboot-db-instance --db-instance-identifier NAME); of a Multi-AZ cluster, reboot the writer.'
  );
}

function changeSetting(setting: string, value: string, major: number): SettingFix {
  const parameter = rdsParameter(setting, value);
  return {
    advice:
      `On AWS RDS, set ${parameter.name} to ${parameter.value} in the instance's parameter group, and reboot. The default ` +
      'group can not be changed: make one of your own first, unless the instance has one. Multi-AZ DB clusters have a cluster ' +
      'parameter group instead (create-db-cluster-parameter-group and so on), and the writer is rebooted.',
    commands: [
      `aws rds create-db-parameter-group --db-parameter-group-name bemi-postgres${major} ` +
        `--db-parameter-group-family postgres${major} --description "logical replication for Bemi"`,
      `aws rds modify-db-parameter-group --db-parameter-group-name bemi-postgres${major} ` +
        `--parameters ${rdsParameterText(setting, value)}`,
      `aws rds modify-db-instance --db-instance-identifier INSTANCE --db-parameter-group-name bemi-postgres${major} --apply-immediately`,
      'aws rds wait db-instance-available --db-instance-identifier INSTANCE',
      'aws rds reboot-db-instance --db-instance-identifier INSTANCE',
    ],
    sql: [],
  };
}

export const awsRds: Provider = {
  id: 'aws-rds',
  title: 'AWS RDS',
  intro: 'Amazon RDS for PostgreSQL: instances, Multi-AZ instances, and Multi-AZ DB clusters.',
  recognisedBy: {
    note: 'the role `rds_superuser`, or a host that ends with `.rds.amazonaws.com`',
    roles: ['rds_superuser'],
    host: /\.rds\.amazonaws\.com(\.cn)?$/,
  },
  changeSetting,
  replication: {
    membership: 'rds_replication',
    note: 'Nobody on RDS may give the attribute REPLICATION (`WITH REPLICATION` is refused): setup grants the role `rds_replication` instead.',
  },
  administrator: 'the main user (often `postgres`), a member of `rds_superuser`',
  allTables: { isAllowed: 'yes', note: 'FOR ALL TABLES is allowed to the main user.' },
  eventTriggers: {
    isAllowed: 'yes',
    note: 'The main user may make them. They must be dropped before an upgrade to another major version, and made again after it.',
  },
  tls: {
    isForced: true,
    note:
      "RDS refuses unencrypted connections from PostgreSQL 15 on (`rds.force_ssl = 1`). Amazon's certificate authorities are built in: " +
      '`?sslmode=verify-full` needs no `sslrootcert`, for hosts that end with `.rds.amazonaws.com`.',
  },
  unreachable:
    'On AWS RDS: check security group and VPC. The security group must admit this address on that port; a laptop reaches only an ' +
    'instance that is publicly accessible, or goes through a VPN or a bastion.',
  pooler: {
    isPooler: (host) => /\.proxy-[^.]+\..*\.rds\.amazonaws\.com(\.cn)?$/.test(host),
    fix: "RDS Proxy carries no replication: take the instance's own endpoint.",
  },
  exampleUrl:
    'postgres://postgres:PASSWORD@app.c9akciq32.eu-west-1.rds.amazonaws.com:5432/app?sslmode=verify-full',
  mind: [
    'A Multi-AZ DB cluster has a **cluster** parameter group: `aws rds modify-db-cluster-parameter-group`, `aws rds modify-db-cluster --db-cluster-parameter-group-name`, then reboot the writer instance; its reader goes on meanwhile.',
    'Reading from a reader or a read replica is not what the worker does: name the writer.',
    'Upgrades to another major version are refused while a logical slot exists, from versions below 17: stop the application, let `bemi worker --drain` record all there is, drop the slot, upgrade, and run setup again. Accept the gap that this is by `bemi gap accept`.',
    'A slot that nobody reads fills the storage: alert on `OldestReplicationSlotLag` and `TransactionLogsDiskUsage` in CloudWatch, and set `max_slot_wal_keep_size`.',
  ],
  references: [
    'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithParamGroups.html',
    'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.FeatureSupport.EventTriggers.html',
    'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html',
  ],
};
