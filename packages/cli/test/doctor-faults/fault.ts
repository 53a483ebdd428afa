import type { Finding } from '@bemi-db/source/finding';
import { reloadSettings } from '@bemi-db/test-kit/reload';
import { expect } from 'vitest';
import type { DoctoredClinic } from '../doctored-clinic.ts';

/** A fault that is made, found under an id, and cured by what is printed. */
export interface Fault {
  readonly id: string;
  readonly verdict?: Finding['verdict'];
  /** What else is found for the same reason. */
  readonly besides?: readonly string[];
  readonly make?: (clinic: DoctoredClinic) => Promise<unknown>;
  /** Variables in which the fault is. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly isProbing?: boolean;
  /** Does what the fix says. Default: runs its SQL. */
  readonly cure?: (finding: Finding, clinic: DoctoredClinic) => Promise<unknown>;
  /** After what was set with it. */
  readonly restore?: (clinic: DoctoredClinic) => Promise<unknown>;
}

export const bad = (findings: readonly Finding[]): string[] =>
  findings.filter(({ verdict }) => verdict === 'warning' || verdict === 'failure').map(({ id }) => id);

export async function runSql(finding: Finding, { source }: DoctoredClinic): Promise<void> {
  expect(finding.sql.length, finding.id).toBeGreaterThan(0);
  for (const statement of finding.sql) {
    expect(finding.fix).toContain(statement);
    await source.query(statement);
  }
}

/** Runs a command as the fix prints it, with its placeholders in capitals filled. */
export async function runCommand(
  { fix }: Finding,
  { bemi }: DoctoredClinic,
  pattern: RegExp,
  fill: Readonly<Record<string, string>> = {},
): Promise<void> {
  const command = pattern.exec(fix)?.[0];
  expect(command, fix).toBeDefined();
  const words = command!
    .split(' ')
    .slice(1)
    .map((word) => fill[word] ?? word);
  await bemi(...words);
}

export const attestIt = (finding: Finding, clinic: DoctoredClinic) =>
  runCommand(finding, clinic, /bemi attest [a-z-]+ --by NAME --ref WHERE/, {
    NAME: 'ops',
    WHERE: 'ticket-1',
  });

/** Sets the variables that the fix has, to what it sets them to. */
export async function setVariables({ fix }: Finding, { look }: DoctoredClinic): Promise<void> {
  const set = [...fix.matchAll(/\b(BEMI_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name!, value!]);
  expect(set.length, fix).toBeGreaterThan(0);
  expect(bad(await look(Object.fromEntries(set)))).toEqual([]);
}

export const write = `
  BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"u1","accessReason":"treatment"}');
  INSERT INTO "Patient" VALUES ('p1', 'Ada'); UPDATE "Patient" SET name = 'Ada King'; COMMIT;
  BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"u1","accessReason":"treatment"}');
  DELETE FROM "Patient"; COMMIT;`;

/** The server is the audit database's too: a change behind what that has written lets the slot follow at once. */
export async function restartWorker(finding: Finding, clinic: DoctoredClinic): Promise<void> {
  expect(finding.fix).toContain('bemi worker');
  await clinic.stopWorker();
  await clinic.startWorker();
  await clinic.source.query(write);
}

export async function changeSetting(
  { server, source }: DoctoredClinic,
  name: string,
  value: string,
): Promise<void> {
  await source.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  await reloadSettings(server.url());
}

/** As whoever owns the audit database. */
export async function tamper({ audit }: DoctoredClinic, sql: string): Promise<void> {
  await audit.query(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
}
