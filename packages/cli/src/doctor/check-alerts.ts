import { type Finding, ok, problem } from '@bemi-db/source/finding';
import type { Attestation } from '@bemi-db/trail/attestations/attestations';
import { alertChannels } from '../alerts/alert-channels.ts';
import { attestationAge } from '../attesting/attestation-age.ts';
import { attestedText } from '../attesting/run-attest.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { explainError } from '../output/explain-error.ts';
import { invocation } from '../output/invocation.ts';

const id = 'alerts';

/** Whether somebody is told of a lag and of a worker that stops: by the worker's alerts, or by other means, as attested. */
export function checkAlerts(configuration: Configuration, attested: readonly Attestation[]): Finding {
  let channels: readonly { readonly name: string }[];
  try {
    channels = alertChannels(configuration);
  } catch (error) {
    const { message, fix } = explainError(error);
    return problem('failure', id, 'Alerts go nowhere', message, fix);
  }
  if (channels.length > 0) {
    const names = channels.map(({ name }) => name).join(', ');
    return ok(id, 'Alerts are sent', `${names}; try it: ${invocation()} alerts test`);
  }
  const monitoring = attested.find(({ kind }) => kind === 'monitoring');
  if (monitoring && !attestationAge(monitoring).isStale) {
    return ok(id, 'Somebody is told by other means', attestedText(monitoring));
  }
  return problem(
    'warning',
    id,
    'Nobody is told when the worker stops',
    `none of BEMI_ALERT_WEBHOOK_URL, BEMI_ALERT_SLACK_URL, BEMI_ALERT_EMAIL is set here${monitoring ? `; ${attestedText(monitoring)}` : ''}`,
    'Set BEMI_ALERT_WEBHOOK_URL, or another one, for the worker (docs/monitoring.md), and try it: bemi alerts test\n' +
      'Where Prometheus or others watch it: bemi attest monitoring --by NAME --ref WHERE',
  );
}
