import { Command } from 'commander';
import { type SettingFlags, settingFlags, withServerOptions } from './worker-options.ts';

interface DashboardFlags extends SettingFlags {
  readonly embedded?: true;
}

/** `bemi dashboard` */
export function dashboardCommand(): Command {
  return withServerOptions(new Command('dashboard'))
    .summary('the web pages and their API alone')
    .description(
      'Serves the dashboard and its API over an audit database, until it is stopped. bemi start does it beside the worker.',
    )
    .addHelpText(
      'after',
      `
The first start prints a link that makes the first admin.

Settings:
  BEMI_DESTINATION_URL   the audit database, as a role that may read it; or --embedded
  BEMI_PUBLIC_URL        where people reach it, such as https://audit.example.com (default http://localhost:4000)
  BEMI_TRUSTED_PROXIES   proxies before it, whose X-Forwarded-For is believed, such as 10.0.0.0/8

Examples:
  bemi dashboard
  bemi dashboard --host 0.0.0.0 --port 8080`,
    )
    .action(async (flags: DashboardFlags) => {
      const { runDashboard } = await import('../dashboard/run-dashboard.ts');
      await runDashboard({ flags: settingFlags(flags), isEmbedded: flags.embedded === true });
    });
}
