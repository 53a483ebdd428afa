import { hostname } from 'node:os';
import { bytesText } from '@bemi-db/source/bytes-text';
import { alertRules } from '@bemi-db/worker/health/alerts/alert-rules';
import type { AlertMessage } from '@bemi-db/worker/health/alerts/delivery';
import { configurationError } from '../cli-error.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { alertChannels } from './alert-channels.ts';

export interface AlertsFlags {
  readonly json?: true;
}

const patienceMs = 20_000;

/** `bemi alerts list`: what there are alerts for, and where they go. */
export async function runAlertsList({ json }: AlertsFlags): Promise<void> {
  const configuration = loadConfiguration();
  const channels = alertChannels(configuration).map(({ name }) => name);
  const rules = alertRules.map(({ id, severity, fireAfterMs, fix }) => ({
    id,
    severity,
    when: conditions[id] === undefined ? '' : conditions[id](configuration),
    forSeconds: fireAfterMs / 1000,
    fix,
  }));
  if (json) {
    await print(`${JSON.stringify({ channels, rules })}\n`);
    return;
  }
  const { colors } = textStyle(process.stdout);
  const lines = rules.flatMap(({ id, severity, when, forSeconds, fix }) => {
    const tone = severity === 'critical' ? colors.red : colors.yellow;
    const patience = forSeconds === 0 ? '' : `, for ${forSeconds / 60} min`;
    return [
      `${tone(severity.padEnd(9))} ${colors.bold(id)}`,
      `          ${when}${patience}`,
      `          ${colors.dim(fix)}`,
      '',
    ];
  });
  const where =
    channels.length === 0
      ? colors.yellow(
          'Sent nowhere: set BEMI_ALERT_WEBHOOK_URL, BEMI_ALERT_SLACK_URL, or BEMI_ALERT_EMAIL and BEMI_SMTP_URL.',
        )
      : `Sent by ${channels.join(', ')}. Try it: bemi alerts test`;
  await print(`${lines.join('\n')}\n${where}\n`);
}

const conditions: Readonly<Record<string, (configuration: Configuration) => string>> = {
  'not-recording': () => 'the worker does not record',
  refused: () => 'the worker has stopped, because going on would leave a gap',
  'slot-lost': () => 'the replication slot is gone, or WAL that it needed is',
  lag: ({ healthyLagBytes }) =>
    `${bytesText(healthyLagBytes)} of WAL or more are not recorded yet (BEMI_HEALTHY_LAG_BYTES)`,
  'retained-wal': ({ retainedWalBytes }) =>
    `the source keeps ${bytesText(retainedWalBytes)} of WAL or more (BEMI_RETAINED_WAL_BYTES)`,
  'slot-limit-near': () => 'at its pace retained WAL reaches max_slot_wal_keep_size within an hour',
  'checkpoint-old': () => 'nothing was signed for two hours',
  quarantine: () => 'something went into quarantine within the last hour',
  'coverage-lost': () => 'less of the source is recorded than before, and no entry of DDL says why',
};

/** `bemi alerts test`: sends a message to every channel, and says how that went. */
export async function runAlertsTest({ json }: AlertsFlags): Promise<void> {
  const channels = alertChannels(loadConfiguration());
  if (channels.length === 0) {
    throw configurationError(
      'Alerts are sent nowhere',
      'Set BEMI_ALERT_WEBHOOK_URL, BEMI_ALERT_SLACK_URL, or BEMI_ALERT_EMAIL and BEMI_SMTP_URL.',
    );
  }
  const at = new Date().toISOString();
  const message: AlertMessage = {
    id: 'test',
    severity: 'warning',
    state: 'firing',
    evidence: `This is a test, sent from ${hostname()}. Nothing is wrong.`,
    fix: 'Nothing to do.',
    since: at,
    at,
    log: 'test',
  };
  const results = await Promise.all(
    channels.map(async ({ name, send }) => {
      try {
        await send(message, AbortSignal.timeout(patienceMs));
        return { channel: name, problem: null };
      } catch (error) {
        return { channel: name, problem: (error as Error).message };
      }
    }),
  );
  if (json) await print(`${JSON.stringify({ results })}\n`);
  else {
    const { colors } = textStyle(process.stdout);
    const lines = results.map(({ channel, problem }) =>
      problem === null
        ? `${colors.green('✓')} ${channel}: taken`
        : `${colors.red('✗')} ${channel}: ${problem}`,
    );
    await print(`${lines.join('\n')}\n`);
  }
  if (results.some(({ problem }) => problem !== null)) process.exitCode = 1;
}
