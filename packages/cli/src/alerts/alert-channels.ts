import { mailChannel, slackChannel, webhookChannel } from '@bemi-db/worker/health/alerts/channels';
import type { AlertChannel } from '@bemi-db/worker/health/alerts/delivery';
import { configurationError } from '../cli-error.ts';
import type { Settings } from '../configuration/settings.ts';

/**
 * Where the settings want alerts to be sent to.
 *
 * @throws CliError where mail is wanted and no server for it is named, or the other way round.
 */
export function alertChannels(settings: Settings): AlertChannel[] {
  const { alertWebhookUrl, alertSlackUrl, alertEmail, alertFrom, smtpUrl } = settings;
  const channels: AlertChannel[] = [];
  if (alertWebhookUrl !== undefined) channels.push(webhookChannel(alertWebhookUrl));
  if (alertSlackUrl !== undefined) channels.push(slackChannel(alertSlackUrl));
  if (alertEmail === undefined && smtpUrl === undefined) return channels;
  if (alertEmail === undefined || smtpUrl === undefined) {
    throw configurationError(
      alertEmail === undefined
        ? 'BEMI_SMTP_URL names a mail server, and nobody to write to'
        : 'BEMI_ALERT_EMAIL says whom to write to, and no mail server is named',
      'Set both: BEMI_ALERT_EMAIL=oncall@example.com and BEMI_SMTP_URL=smtp://user:password@mail.example.com:587',
    );
  }
  const [first = ''] = alertEmail.split(',');
  channels.push(mailChannel({ smtpUrl, from: alertFrom ?? first.trim(), to: alertEmail }));
  return channels;
}
