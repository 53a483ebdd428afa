import { join } from 'node:path';
import { type SourceSummary, sourceSummaries } from '@bemi-db/trail/query/trail-summary';
import pg from 'pg';
import { CliError, usageError } from '../cli-error.ts';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { print } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { gatherEvidence } from '../verification/run-verify.ts';
import { originOf, type Verification, verifyLog } from '../verification/verification.ts';
import { findingText } from '../verification/verification-text.ts';
import { withoutOthersSettings } from './demo-session.ts';
import { expectDemo, noDemo, type RunningDemo } from './running-demo.ts';
import { type Deed, type Tampering, tamper, tamperings } from './tampering.ts';

const connectTimeoutMs = 5_000;
const tries = 5;
/** serialization_failure: the worker recorded something in between. */
const serializationFailure = '40001';

/**
 * `bemi demo tamper`: tampers with the demo's log and verifies it, in one transaction that is rolled back: the worker,
 * which goes on recording, never sees it.
 *
 * @throws CliError when no demo runs, or, which must never be, the tampering is not found.
 */
export async function runTamper(howText: string): Promise<void> {
  const how = tamperings.find((each) => each === howText);
  if (!how) throw usageError(`--how is ${JSON.stringify(howText)}`, `It is one of ${tamperings.join(', ')}.`);
  const demo = await expectDemo();
  withoutOthersSettings();
  const client = new pg.Client({
    connectionString: demo.auditAdminUrl,
    application_name: 'bemi demo tamper',
    connectionTimeoutMillis: connectTimeoutMs,
  });
  try {
    await client.connect();
  } catch (cause) {
    throw noDemo(cause);
  }
  try {
    const style = textStyle(process.stdout);
    const { deed, verification } = await tamperAndVerify(client, demo, how);
    await print(deedText(deed, style));
    await print(foundText(verification, style));
    await print(
      `\n${style.colors.green('✓')} It was undone: the demo goes on, and ${undoneText(await verify(client, demo))}.\n`,
    );
    if (verification.findings.length === 0)
      throw new CliError(
        1,
        'not-found',
        'The tampering was not found',
        'That must never be. Please report it.',
      );
  } finally {
    await client.end();
  }
}

async function tamperAndVerify(
  client: pg.ClientBase,
  demo: RunningDemo,
  how: Tampering,
): Promise<{ deed: Deed; verification: Verification }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const verified = await prepared(client, demo);
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      try {
        const published = Math.max(
          0,
          ...verified.evidence.checkpoints.map(({ checkpoint }) => checkpoint.size),
        );
        const deed = await tamper(client, verified.log.log, how, published);
        if (!deed) throw nothingYet();
        return { deed, verification: await verifyLog({ client, ...verified, isInTransaction: true }) };
      } finally {
        await client.query('ROLLBACK');
      }
    } catch (error) {
      const isRetried = error instanceof pg.DatabaseError && error.code === serializationFailure;
      if (!isRetried || attempt === tries) throw error;
    }
  }
}

async function verify(client: pg.ClientBase, demo: RunningDemo): Promise<Verification> {
  return await verifyLog({ client, ...(await prepared(client, demo)) });
}

/** The demo's log, and what its worker keeps outside of the audit database. */
async function prepared(client: pg.ClientBase, { folder }: RunningDemo) {
  const [log]: SourceSummary[] = await sourceSummaries(client);
  if (!log) throw nothingYet();
  const origin = await originOf(client, log.log);
  const configuration = loadConfiguration({
    environment: { BEMI_STATE_DIR: join(folder, 'worker') },
    folder: bemiFolder(folder),
  });
  return { log, origin, evidence: await gatherEvidence({ name: log.name, origin }, configuration, {}) };
}

function deedText({ what, statements }: Deed, { colors }: TextStyle): string {
  return `
${colors.bold('Somebody with full control of the audit database')} ${what}:

${statements.map((statement) => `  ${colors.yellow(statement)}\n`).join('')}
${colors.cyan('bemi verify')} reads every entry again, and says:

`;
}

function foundText({ findings, report, elapsedMs }: Verification, style: TextStyle): string {
  const [first, ...others] = findings;
  if (!first) return `${style.colors.red('nothing')}\n`;
  const more =
    others.length === 0
      ? ''
      : `  ${style.colors.dim(`and ${countText(others.length)} more, which follow from it`)}\n`;
  return `${findingText(first, style)}${more}\n  ${style.colors.dim(`${countText(report.entries)} entries, ${Math.ceil(elapsedMs)} ms`)}\n`;
}

function undoneText({ findings, report }: Verification): string {
  return findings.length === 0
    ? `its log is whole again: ${countText(report.size)} entries`
    : 'its log does not verify: somebody else has tampered with it, too';
}

function nothingYet(): CliError {
  return new CliError(
    1,
    'too-early',
    'The demo has recorded too little yet',
    'Wait a few seconds, and run it again.',
  );
}
