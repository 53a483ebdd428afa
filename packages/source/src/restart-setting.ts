import type { ServerSnapshot } from './source-snapshot.ts';

/** How to change a server setting that only takes effect with a restart. */
export interface SettingFix {
  readonly advice: string;
  readonly sql: readonly string[];
}

// What AWS RDS calls what PostgreSQL calls otherwise, and won't let anybody set directly.
const rdsParameters: Readonly<Record<string, { readonly name: string; readonly value: string }>> = {
  wal_level: { name: 'rds.logical_replication', value: '1' },
};

/**
 * In words and SQL, for servers run by hand, by Docker compose and by Homebrew, and for AWS RDS, where ALTER
 * SYSTEM isn't allowed and a parameter group takes its place.
 *
 * @param setting - such as `wal_level`; taken as it is, so never from outside.
 */
export function restartSettingFix(server: ServerSnapshot, setting: string, value: string): SettingFix {
  const parameter = rdsParameters[setting] ?? { name: setting, value };
  const rds =
    `set ${parameter.name} to ${parameter.value} in the instance's parameter group (aws rds ` +
    'modify-db-parameter-group --db-parameter-group-name NAME --parameters ' +
    `"ParameterName=${parameter.name},ParameterValue=${parameter.value},ApplyMethod=pending-reboot"), then ` +
    'reboot (aws rds reboot-db-instance --db-instance-identifier NAME); of a Multi-AZ cluster, reboot the writer.';
  if (server.provider === 'aws-rds') return { advice: `On AWS RDS, ${rds}`, sql: [] };
  const major = Math.floor(server.version / 10_000);
  return {
    advice: [
      'Run the SQL below as a superuser, then restart the server:',
      `- Docker compose: docker compose restart SERVICE (or write command: ["postgres", "-c", "${setting}=${value}"] ` +
        'under the service, and docker compose up -d)',
      `- Homebrew: brew services restart postgresql@${major}`,
      '- systemd: systemctl restart postgresql',
      `- AWS RDS, instead of the SQL: ${rds}`,
    ].join('\n'),
    sql: [`ALTER SYSTEM SET ${setting} = '${value}';`],
  };
}
