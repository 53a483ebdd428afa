import { createTransport } from 'nodemailer';
import type { AlertChannel, AlertMessage } from './delivery.ts';

/** One line for people. */
export function alertTitle({ id, severity, state, log }: AlertMessage): string {
  return state === 'firing' ? `Bemi, ${log}: ${id} (${severity})` : `Bemi, ${log}: ${id} is over`;
}

/** Several lines for people. */
export function alertText(message: AlertMessage): string {
  const { state, evidence, fix, since, at } = message;
  const lines = [evidence];
  if (state === 'firing') lines.push(fix, `Since ${since}.`);
  else lines.push(`From ${since} to ${at}.`);
  return lines.join('\n');
}

/** Posts the message as JSON, with every member of {@link AlertMessage}. */
export function webhookChannel(url: string): AlertChannel {
  return { name: 'webhook', send: (message, signal) => post(url, message, signal) };
}

/** @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackChannel(url: string): AlertChannel {
  return {
    name: 'Slack',
    send: (message, signal) => {
      const text = `*${escaped(alertTitle(message))}*\n${escaped(alertText(message))}`;
      return post(url, { text }, signal);
    },
  };
}

export interface MailOptions {
  /** `smtp://user:password@host:587` or `smtps://…`. */
  readonly smtpUrl: string;
  readonly from: string;
  /** Addresses, with commas between. */
  readonly to: string;
}

export function mailChannel({ smtpUrl, from, to }: MailOptions): AlertChannel {
  return {
    name: 'e-mail',
    async send(message, signal) {
      const transport = createTransport({ url: smtpUrl, connectionTimeout: 10_000, socketTimeout: 10_000 });
      signal.addEventListener('abort', () => transport.close(), { once: true });
      try {
        await transport.sendMail({ from, to, subject: alertTitle(message), text: alertText(message) });
      } catch (error) {
        const { code, responseCode } = error as { readonly code?: string; readonly responseCode?: number };
        throw new Error(`the mail server says ${responseCode ?? code ?? 'nothing'}`);
      } finally {
        transport.close();
      }
    },
  };
}

async function post(url: string, body: object, signal: AbortSignal): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal,
    });
  } catch (error) {
    // The driver's own message may hold the URL, which is a secret.
    const { code } = ((error as Error).cause ?? {}) as { readonly code?: string };
    throw new Error(signal.aborted ? 'no answer' : `unreachable (${code ?? 'no connection'})`);
  }
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the answer was ${response.status}`);
}

/** Slack's three special characters. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
