import { type ConcernedContext, concernedContexts } from '@bemi-db/trail/erasure/concerned-contexts';
import { mostErasedEntries } from '@bemi-db/trail/erasure/erasure-request';
import { type FoundRecord, findRecord } from '@bemi-db/trail/erasure/find-record';
import { pairedCount, sequencePairs, splitPairs } from '@bemi-db/trail/erasure/sequence-pairs';
import { holdsOnEntries } from '@bemi-db/trail/holds/holds';
import { recordKey } from '@bemi-db/trail/query/record-key';
import { recordedTables } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { accessedTable } from '../accesses/accessed-table.ts';
import { tellAccess } from '../accesses/told-access.ts';
import { CliError, usageError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { agree } from '../output/agreement.ts';
import { invocation } from '../output/invocation.ts';
import { print } from '../output/print.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { parseTableFilter } from '../trail-reading/change-arguments.ts';
import { nothingFound } from '../trail-reading/nothing-recorded.ts';
import { askWorker, parseWait } from '../worker-requests/ask-worker.ts';
import { recordedSource } from '../worker-requests/recorded-source.ts';
import { type ErasurePreview, previewText } from './preview-text.ts';

/** The flags of `bemi erase`. */
export interface EraseFlags {
  readonly table?: string;
  readonly primaryKey?: string;
  readonly reason: string;
  readonly by: string;
  readonly contexts?: true;
  readonly context?: readonly string[];
  readonly entry?: readonly string[];
  readonly dryRun?: true;
  readonly yes?: true;
  readonly wait?: string;
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

const nothing: FoundRecord = { changes: [], keys: [], suspects: [], quarantinedCount: 0 };

/** Finds what is recorded of a record, shows it, asks, and has the worker erase it. */
export async function runErase(flags: EraseFlags): Promise<void> {
  const named = {
    contexts: (flags.context ?? []).map((text) => parseSequence(text, '--context')),
    entries: (flags.entry ?? []).map((text) => parseSequence(text, '--entry')),
  };
  if ((flags.table === undefined) !== (flags.primaryKey === undefined)) {
    throw usageError('A record is named by its table and its key', 'Give both --table and --primary-key.');
  }
  if (flags.table === undefined && named.contexts.length + named.entries.length === 0) {
    throw usageError('Nothing is named to be erased', 'Give --table and --primary-key.');
  }
  if (flags.reason.trim() === '' || flags.by.trim() === '') {
    throw usageError(
      'An erasure says why, and who wants it',
      'Write --reason "request of 2025-12-09" --by "J. Doe, DPO".',
    );
  }
  const waitSeconds = parseWait(flags.wait);
  const configuration = loadConfiguration();
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async ({ client }) => {
    const source = await recordedSource(client, configuration, flags.source);
    const found = await findNamed(client, source.log, flags);
    await tellAccess(
      client,
      {
        ...{ what: 'view', command: 'erase', log: source.name },
        ...(flags.table === undefined ? {} : { tables: [accessedTable(parseTableFilter(flags.table))] }),
        ...(flags.primaryKey === undefined ? {} : { key: parseRecordKey(flags.primaryKey) }),
        ...(named.entries.length + named.contexts.length > 0 ? { filters: ['entry'] } : {}),
      },
      { changes: found.changes.length },
    );
    refuseKeyInReason(flags, found.keys);
    const contexts = await concernedContexts(client, source.log, found.changes);
    const sequences = [
      ...found.changes.map(({ sequence }) => sequence),
      ...named.entries,
      ...named.contexts,
      ...(flags.contexts ? contexts.map(({ sequence }) => sequence) : []),
    ];
    const style = textStyle(process.stdout);
    if (sequences.length === 0) {
      if (flags.json) await print(`${JSON.stringify(previewJson(found, contexts, sequences))}\n`);
      else {
        const tables = await recordedTables(client, source.log);
        await print(`${nothingFound(source, tables, style)}${suspectsNote(found)}`);
      }
      return;
    }
    const pairs = sequencePairs(sequences);
    const preview: ErasurePreview = { found, contexts, named, erased: new Set(sequences) };
    if (!flags.json) await print(previewText(preview, style));
    const [hold] = await holdsOnEntries(client, source.log, pairs);
    if (hold) {
      throw new CliError(
        1,
        'held',
        `The hold ${hold.id} of ${hold.placedBy} keeps some of these entries: ${hold.reason}`,
        `Nothing was erased. See ${invocation()} hold list; whoever placed the hold may release it.`,
      );
    }
    if (flags.dryRun) {
      if (flags.json) await print(`${JSON.stringify(previewJson(found, contexts, sequences))}\n`);
      return;
    }
    const count = pairedCount(pairs);
    if (!flags.yes)
      await agree(`Erase ${countedText(count, 'entry').replace('entrys', 'entries')} for good?`);
    const events = await askWorker({
      ...{ client, source, waitSeconds },
      kind: 'erasure',
      payloads: splitPairs(pairs, mostErasedEntries).map((entries) => ({
        ...{ entries, reason: flags.reason, by: flags.by },
      })),
    });
    if (flags.json) await print(`${JSON.stringify({ entries: count, events: events.map(Number) })}\n`);
    else {
      await print(
        `${style.colors.green('✓')} Erased. The log says so in ${events.length === 1 ? 'entry' : 'entries'} ${events.join(', ')}; every proof holds.\n`,
      );
    }
  });
}

async function findNamed(client: pg.ClientBase, log: number, flags: EraseFlags): Promise<FoundRecord> {
  if (flags.table === undefined || flags.primaryKey === undefined) return nothing;
  const table = parseTableFilter(flags.table);
  return findRecord(client, { log, table, primaryKey: parseRecordKey(flags.primaryKey) });
}

/** The text of the key's one column; of a composite key, a JSON array of texts, as `bemi log` takes it. */
export function parseRecordKey(text: string): string {
  if (!/^\s*\[.*\]\s*$/su.test(text)) return recordKey([text]);
  try {
    const parts: unknown = JSON.parse(text);
    if (Array.isArray(parts) && parts.length > 1 && parts.every((part) => typeof part === 'string'))
      return recordKey(parts);
  } catch {
    // It is the text of a column that looks like a list.
  }
  return recordKey([text]);
}

function parseSequence(text: string, flag: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(
    `${flag} ${JSON.stringify(text)} is not a sequence`,
    'Sequences are what bemi log --json shows.',
  );
}

/** The reason stays in the log for ever. */
function refuseKeyInReason({ reason, by }: EraseFlags, keys: readonly string[]): void {
  const texts = keys.filter((key) => key.length >= 4);
  if (!texts.some((key) => reason.includes(key) || by.includes(key))) return;
  throw usageError(
    '--reason or --by holds the key of the record that is to be erased',
    'Both stay in the log for ever: name the request by a number of its own.',
  );
}

function suspectsNote({ quarantinedCount, suspects }: FoundRecord): string {
  if (quarantinedCount === 0) return '';
  const named =
    suspects.length === 0
      ? ''
      : `; with this key's text in them: ${suspects.join(', ')} (--entry erases one)`;
  return `  ${countedText(quarantinedCount, 'row')} of the table ${quarantinedCount === 1 ? 'is' : 'are'} in quarantine, without a key${named}\n`;
}

function previewJson(
  found: FoundRecord,
  contexts: readonly ConcernedContext[],
  sequences: readonly number[],
): object {
  return {
    keys: found.keys,
    changes: found.changes.map(({ sequence }) => sequence),
    contexts,
    quarantined: { count: found.quarantinedCount, suspects: found.suspects },
    toErase: sequencePairs(sequences),
  };
}
