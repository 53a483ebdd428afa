import type { Change } from '@bemi-db/trail/query/change';
import { print } from '../output/print.ts';
import { changeSentence } from '../presentation/change-sentence.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { type DemoCluster, startCluster } from './demo-cluster.ts';
import { type DemoSession, inDemoSession } from './demo-session.ts';
import { type ExampleClinic, loadExampleClinic } from './example-clinic.ts';
import { fittedSentence } from './fitted-sentence.ts';
import { openDashboard } from './open-dashboard.ts';
import { prepareSource } from './prepared-source.ts';
import { recordedChanges } from './recorded-changes.ts';
import { makeWay, rememberDemo } from './running-demo.ts';
import { type Recording, startRecording } from './start-recording.ts';
import { keepTrafficUp } from './steady-traffic.ts';
import { directSqlCommand, welcomeText } from './welcome-text.ts';

/** As long as nobody has pasted the command, it is shown again: the first one has scrolled away. */
const reminderEvery = 20;

/** `bemi demo`: runs until a signal ends it. That is how it ends, and no failure. */
export async function runDemo(): Promise<void> {
  await makeWay();
  await inDemoSession(async (session) => {
    const clinic = await loadExampleClinic();
    const { cluster, recording, clinicUrl, dashboardUrl } = await start(clinic, session);
    const stop = new AbortController();
    session.signal.addEventListener('abort', () => stop.abort(), { once: true });
    const { signal } = stop;
    const style = textStyle(process.stdout);
    const traffic = keepTrafficUp(clinic, clinicUrl, signal, (reason) => {
      process.stderr.write(`  ${style.colors.dim(`The clinic's staff starts over: ${reason}`)}\n`);
    });
    const shown = show(recordedChanges(recording, signal), style, async () => {
      session.teardown.add(
        rememberDemo({ pid: process.pid, clinicPort: Number(new URL(clinicUrl).port), ...cluster }),
      );
      await print(welcomeText({ dashboardUrl, clinicUrl, ...cluster }, style));
    });
    session.teardown.add(async () => {
      stop.abort();
      await Promise.allSettled([traffic, shown]);
    });
    // Of these only the signal ends by itself; a failure of any other ends the demo.
    await Promise.race([aborted(session.signal), traffic, shown, recording.ended]);
    // What is being printed goes before the end of it all.
    stop.abort();
    await Promise.allSettled([traffic, shown]);
    const { changes, transactions } = recording.counts();
    await print(
      `\nRecorded: ${countedText(changes, 'change')} in ${countedText(transactions, 'transaction')}.\n`,
    );
  });
}

async function start(
  clinic: ExampleClinic,
  session: DemoSession,
): Promise<{ cluster: DemoCluster; recording: Recording; clinicUrl: string; dashboardUrl: string }> {
  const { progress, signal, teardown } = session;
  const cluster = await progress.step(
    'Starting a PostgreSQL server',
    () => startCluster(session),
    ({ version, port }) => `PostgreSQL ${version} runs on port ${port}, with wal_level = logical.`,
  );
  signal.throwIfAborted();
  await progress.step(
    'Preparing the source database',
    async () => {
      await clinic.migrate(cluster.sourceUrl);
      await prepareSource(cluster);
    },
    () => 'The source database has replica identities, a publication and a slot: what `bemi setup` does.',
  );
  signal.throwIfAborted();
  const recording = await progress.step(
    'Starting the worker',
    () => startRecording(cluster, session),
    () => 'The worker records into the audit database: what `bemi worker` does.',
  );
  signal.throwIfAborted();
  const dashboardUrl = await progress.step(
    'Opening the dashboard',
    () => openDashboard(cluster, session),
    (url) => `The dashboard is open at ${url}: what \`bemi start\` serves too.`,
  );
  signal.throwIfAborted();
  const { url: clinicUrl } = await progress.step(
    'Opening the clinic',
    async () => {
      const server = await clinic.startClinic({ databaseUrl: cluster.sourceUrl });
      teardown.add(() => server.close());
      return server;
    },
    () => "The clinic's staff comes to work. This is what they change:\n",
  );
  return { cluster, recording, clinicUrl, dashboardUrl };
}

/** Prints each change. The clinic is open once there is a patient: the command to paste changes one. */
async function show(
  changes: AsyncIterable<Change>,
  style: TextStyle,
  onOpen: () => Promise<void>,
): Promise<void> {
  let isOpen = false;
  let hasDirectSql = false;
  let untilReminder = reminderEvery;
  for await (const change of changes) {
    await print(`${fittedSentence(changeSentence(change, style), style.columns)}\n`);
    if (!isOpen && change.table === 'Patient') {
      isOpen = true;
      await onOpen();
    }
    if (!hasDirectSql && change.context === undefined) {
      hasDirectSql = true;
      await print(
        `    ${style.colors.magenta('↑ that went past the application, and is recorded all the same')}\n`,
      );
    }
    if (!hasDirectSql && --untilReminder === 0) {
      untilReminder = reminderEvery;
      await print(`\n  ${style.colors.dim('Try it:')} ${style.colors.cyan(directSqlCommand)}\n\n`);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
