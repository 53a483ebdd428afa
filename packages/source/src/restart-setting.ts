import type { SettingFix } from './providers/provider.ts';
import { providerOf } from './providers/recognise.ts';
import type { ServerSnapshot } from './source-snapshot.ts';

/**
 * How to change a server setting that only takes effect with a restart, where this server runs: in words and commands, and
 * in SQL where ALTER SYSTEM is allowed.
 *
 * @param setting - such as `wal_level`; taken as it is, so never from outside.
 */
export function restartSettingFix(
  server: ServerSnapshot,
  setting: string,
  value: string,
): Pick<SettingFix, 'advice' | 'sql'> {
  const major = Math.floor(server.version / 10_000);
  const { advice, commands, sql } = providerOf(server.provider).changeSetting(setting, value, major);
  // Where there is SQL, it comes before the restart that the advice speaks of.
  return { advice: sql.length > 0 ? advice : [advice, ...commands].join('\n'), sql };
}

/** The same for a setting that a reload is enough for. */
export function reloadSettingFix(
  server: ServerSnapshot,
  setting: string,
  value: string,
): Pick<SettingFix, 'advice' | 'sql'> {
  const major = Math.floor(server.version / 10_000);
  const { advice, commands, sql } = providerOf(server.provider).changeSetting(setting, value, major);
  if (sql.length === 0) return { advice: [advice, ...commands].join('\n'), sql };
  return { advice: 'Run as a superuser:', sql: [...sql, 'SELECT pg_reload_conf();'] };
}
