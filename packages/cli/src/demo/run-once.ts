import { setTimeout as delay } from 'node:timers/promises';
import { runWithBemiContext } from '@bemi-db/context';
import type { Change } from '@bemi-db/trail/query/change';
import { searchChanges } from '@bemi-db/trail/query/search-changes';
import { CliError } from '../cli-error.ts';
import { print } from '../output/print.ts';
import { startCluster } from './demo-cluster.ts';
import { type DemoSession, inDemoSession } from './demo-session.ts';
import { type ExampleClinic, loadExampleClinic } from './example-clinic.ts';
import { guideForm } from './guide-form.ts';
import { prepareSource } from './prepared-source.ts';
import { type Recording, startRecording } from './start-recording.ts';

const changeCount = 3;
const patienceMs = 30_000;
const pollMs = 50;

/** `bemi demo --once`: the set-up guide's test, from the application to the trail, printed as JSON. */
export async function runOnce(): Promise<void> {
  const exitCode = await inDemoSession(async (session) => {
    const { progress, signal } = session;
    const clinic = await loadExampleClinic();
    const cluster = await progress.step(
      'Starting a PostgreSQL server',
      () => startCluster(session),
      ({ version, port }) => `PostgreSQL ${version} runs on port ${port}.`,
    );
    signal.throwIfAborted();
    const recording = await progress.step(
      'Preparing the source, starting the worker',
      async () => {
        await clinic.migrate(cluster.sourceUrl);
        await prepareSource(cluster);
        return await startRecording(cluster, session);
      },
      () => 'The worker records the clinic.',
    );
    signal.throwIfAborted();
    const changes = await progress.step(
      'Creating, updating and deleting a patient',
      async () =>
        await recordedLife(recording, await writePatient(clinic, cluster.sourceUrl, session), signal),
      () => 'A patient was created, updated and deleted, and all of it is recorded.',
    );
    await print(`${guideForm(changes)}\n`);
  });
  if (exitCode !== undefined) process.exitCode = exitCode;
}

/** @returns the patient's id. */
async function writePatient(
  { createPrisma, testBemi }: ExampleClinic,
  sourceUrl: string,
  { teardown }: DemoSession,
): Promise<string> {
  const prisma = createPrisma(sourceUrl, true);
  teardown.add(() => prisma.$disconnect());
  return await runWithBemiContext({}, () => testBemi(prisma));
}

async function recordedLife(
  { reader, log, ended }: Recording,
  id: string,
  signal: AbortSignal,
): Promise<readonly Change[]> {
  const table = { schema: 'public', name: 'Patient' };
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const { changes } = await searchChanges(reader, {
      ...{ log, filter: { tables: [table], primaryKey: id }, order: 'oldest-first', limit: changeCount + 1 },
      changedOnly: true,
    });
    if (changes.length >= changeCount) return changes;
    await Promise.race([delay(pollMs, undefined, { signal }), ended]);
  }
  throw new CliError(
    1,
    'not-recorded',
    `The changes were not recorded within ${patienceMs / 1_000} s`,
    'The machine may be very busy: run it again.',
  );
}
