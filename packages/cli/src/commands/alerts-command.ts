import { Command } from 'commander';
import type { AlertsFlags } from '../alerts/run-alerts.ts';

/** `bemi alerts` */
export function alertsCommand(): Command {
  const command = new Command('alerts')
    .summary('what the worker alerts of, and where to')
    .description(
      'The worker looks at both sides every 15 seconds, and sends an alert when something needs a person.',
    )
    .addHelpText(
      'after',
      `
Settings:
  BEMI_ALERT_WEBHOOK_URL     alerts are posted there as JSON
  BEMI_ALERT_SLACK_URL       an incoming webhook of Slack
  BEMI_ALERT_EMAIL           addresses, with commas between; with
  BEMI_SMTP_URL              smtp://user:password@mail.example.com:587
  BEMI_HEALTHY_LAG_BYTES     from when on a lag is an alert (102400)
  BEMI_RETAINED_WAL_BYTES    from when on retained WAL is one (10737418240)

Examples:
  bemi alerts list
  bemi alerts test

Each alert, and its end, is an entry of the log too. A worker that is not there at all can't tell: have
Prometheus watch for it, by deploy/prometheus/bemi-alerts.yaml.`,
    );
  command
    .command('list')
    .summary('what there are alerts for')
    .description('Every alert, when it fires, and what to do about it.')
    .option('--json', 'one JSON object, for programs')
    .action(async (flags: AlertsFlags) => {
      const { runAlertsList } = await import('../alerts/run-alerts.ts');
      await runAlertsList(flags);
    });
  command
    .command('test')
    .summary('send a message to every channel')
    .description('Sends a test message to every channel, and says how that went.')
    .option('--json', 'one JSON object, for programs')
    .action(async (flags: AlertsFlags) => {
      const { runAlertsTest } = await import('../alerts/run-alerts.ts');
      await runAlertsTest(flags);
    });
  return command;
}
