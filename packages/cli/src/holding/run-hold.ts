import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { HoldPayload } from '@bemi-db/trail/holds/hold-request';
import { type Hold, holdKeyHash, newHoldId, readHolds } from '@bemi-db/trail/holds/holds';
import { usageError } from '../cli-error.ts';
import { parseRecordKey } from '../erasing/run-erase.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { parseTableFilter } from '../trail-reading/change-arguments.ts';
import { askWorker, parseWait } from '../worker-requests/ask-worker.ts';
import { oneTable } from '../worker-requests/one-table.ts';
import { withRecordedSource } from '../worker-requests/recorded-source.ts';

/** The flags that all of `bemi hold` takes. */
export interface HoldFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

export interface HoldPlaceFlags extends HoldFlags {
  readonly table: string;
  readonly primaryKey?: string;
  readonly reason: string;
  readonly by: string;
  readonly wait?: string;
}

export interface HoldReleaseFlags extends HoldFlags {
  readonly by: string;
  readonly reason?: string;
  readonly wait?: string;
}

/** `bemi hold place` */
export async function placeHold(flags: HoldPlaceFlags): Promise<void> {
  if (flags.reason.trim() === '' || flags.by.trim() === '')
    throw usageError('A hold says why, and who wants it', 'Write --reason "case 4711" --by legal.');
  const filter = parseTableFilter(flags.table);
  const waitSeconds = parseWait(flags.wait);
  await withRecordedSource(flags, async (client, source) => {
    const { schema, name } = await oneTable(client, source, filter);
    const id = newHoldId();
    const { primaryKey, reason, by } = flags;
    const hold: HoldPayload = {
      ...{ event: 'placed', id, reason, by, schema, table: name },
      ...(primaryKey === undefined ? {} : { primaryKeyHash: holdKeyHash(id, parseRecordKey(primaryKey)) }),
    };
    const [sequence] = await askWorker({ client, source, kind: 'hold', payloads: [hold], waitSeconds });
    if (flags.json) await print(`${JSON.stringify({ id, sequence: Number(sequence) })}\n`);
    else {
      const what = primaryKey === undefined ? `Every record of ${name}` : `This record of ${name}`;
      const { colors } = textStyle(process.stdout);
      await print(
        `${colors.green('✓')} ${harmless(what)} is held by ${colors.bold(id)}: it can't be erased, nor dropped.\n`,
      );
    }
  });
}

/** `bemi hold release` */
export async function releaseHold(id: string, flags: HoldReleaseFlags): Promise<void> {
  const waitSeconds = parseWait(flags.wait);
  await withRecordedSource(flags, async (client, source) => {
    const holds = await readHolds(client, source.log);
    if (!holds.some((hold) => hold.id === id)) {
      const ids = holds.map((hold) => hold.id).join(', ');
      throw usageError(
        `There is no hold ${id}`,
        holds.length === 0 ? 'No hold is in force.' : `Those in force are ${ids}.`,
      );
    }
    const { by, reason } = flags;
    const hold: HoldPayload = { event: 'released', id, by, ...(reason === undefined ? {} : { reason }) };
    const [sequence] = await askWorker({ client, source, kind: 'hold', payloads: [hold], waitSeconds });
    if (flags.json) await print(`${JSON.stringify({ id, sequence: Number(sequence) })}\n`);
    else await print(`${textStyle(process.stdout).colors.green('✓')} The hold ${id} is released.\n`);
  });
}

/** `bemi hold list` */
export async function listHolds(flags: HoldFlags): Promise<void> {
  await withRecordedSource(flags, async (client, source) => {
    const holds = await readHolds(client, source.log);
    if (flags.json) await print(holds.map((hold) => `${JSON.stringify(hold)}\n`).join(''));
    else if (holds.length === 0) await print('No hold is in force.\n');
    else await print(holds.map(holdLine).join(''));
  });
}

function holdLine({ id, schema, table, isOfRecord, reason, placedBy, sequence }: Hold): string {
  const { colors } = textStyle(process.stdout);
  const name = harmless(schema === 'public' ? table : `${schema}.${table}`);
  const what = isOfRecord ? `one record of ${name}` : `every record of ${name}`;
  return `${colors.bold(id)}  ${what}  ${harmless(reason)}  ${colors.dim(`by ${harmless(placedBy)}, entry ${sequence}`)}\n`;
}
