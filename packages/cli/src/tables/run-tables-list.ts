import { inspect } from '@bemi-db/source/inspect';
import { displayTable } from '@bemi-db/source/table-name';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { recordedSince } from '@bemi-db/trail/query/recorded-since';
import { rulesInForce } from '@bemi-db/trail/rules/recorded-rules';
import type pg from 'pg';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { explainError } from '../output/explain-error.ts';
import { print, printNote } from '../output/print.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { adminConnection } from '../setup/admin-connection.ts';
import { configurationWith, type SourceFlags } from '../setup/wanted-source.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { chooseSource } from '../trail-reading/choose-source.ts';
import { type ListedColumns, type ListedTable, listedTables, type TrailOfTables } from './listed-table.ts';

/** The flags of `bemi tables list`, as they are typed. */
export interface TablesListFlags extends SourceFlags {
  readonly json?: true;
  readonly embedded?: true;
}

/** Which tables are recorded, how, and since when. Any role that may connect can ask. */
export async function listTables(flags: TablesListFlags): Promise<void> {
  const configuration = await configurationWith(flags);
  const { url, setWith } = adminConnection(flags, configuration, 'tables list');
  const trail = await trailOfTables(configuration, flags);
  await withSourceDatabase(url, setWith, async ({ client }) => {
    const { slot, publication } = configuration;
    const snapshot = await inspect(client, { slot, publication });
    const tables = listedTables(snapshot, await columnsOf(client), trail);
    if (flags.json) return await print(`${JSON.stringify({ publication, tables })}\n`);
    if (!snapshot.publication)
      printNote(`! The publication ${harmless(publication)} does not exist: bemi setup\n`);
    await print(tablesText(tables, trail !== undefined, textStyle(process.stdout)));
  });
}

/** What the log knows of the tables; nothing where there is none, which is no failure here. */
async function trailOfTables(
  configuration: Configuration,
  flags: TablesListFlags,
): Promise<TrailOfTables | undefined> {
  const isEmbedded = flags.embedded === true;
  if (!isEmbedded && configuration.destinationUrl === undefined && !hasEmbedded(bemiFolder()))
    return undefined;
  try {
    return await readingAuditDatabase({ configuration, isEmbedded }, async ({ client }) => {
      const source = await chooseSource(client, configuration, flags.source);
      if (!source) return { since: [], rules: undefined };
      return {
        since: await recordedSince(client, source.log),
        rules: (await rulesInForce(client, source.log))?.rules,
      };
    });
  } catch (error) {
    printNote(`! Since when, and by which rules, is not known: ${harmless(explainError(error).message)}\n`);
    return undefined;
  }
}

/** Columns, by the oid of their table. */
async function columnsOf(client: pg.ClientBase): Promise<ReadonlyMap<string, ListedColumns>> {
  const { rows } = await client.query<{ oid: string } & ListedColumns>(
    `SELECT c.oid::text AS oid, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
            coalesce(array_agg(a.attname::text) FILTER (WHERE a.attnum = ANY (i.indkey)), '{}') AS "primaryKey"
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
      WHERE c.relkind IN ('r', 'p') GROUP BY 1`,
  );
  return new Map(rows.map(({ oid, columns, primaryKey }) => [oid, { columns, primaryKey }]));
}

function tablesText(tables: readonly ListedTable[], hasTrail: boolean, style: TextStyle): string {
  const { colors } = style;
  if (tables.length === 0) return 'There are no tables.\n';
  const rows = tables.map((table) => [
    harmless(displayTable({ schema: table.schema, name: table.table })) +
      (table.partitions === undefined ? '' : ` (${countedText(table.partitions, 'partition')})`),
    table.identity.toUpperCase(),
    table.rows === undefined ? '' : `~${countText(Math.round(table.rows))}`,
    table.recordedSince === undefined ? '' : momentText(table.recordedSince, style.timeZone),
    remarks(table),
  ]);
  const head = ['table', 'identity', 'rows', hasTrail ? 'first recorded' : '', ''];
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (at === 2 ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd();
  const lines = rows.map((row, at) => {
    const table = tables[at]!;
    const mark = !table.isRecorded
      ? colors.yellow('-')
      : table.note === ''
        ? colors.green('✓')
        : colors.red('✗');
    return `${mark} ${line(row)}\n`;
  });
  const recorded = tables.filter(({ isRecorded }) => isRecorded).length;
  return `  ${colors.dim(line(head))}\n${lines.join('')}\n${countText(recorded)} of ${countText(tables.length)} tables are recorded.\n`;
}

function remarks({ note, ignored, redacted }: ListedTable): string {
  const hidden = Object.entries(redacted).map(([column, by]) => `${column} (${by})`);
  return [
    note,
    ignored.length === 0 ? '' : `ignores ${ignored.join(', ')}`,
    hidden.length === 0 ? '' : `redacts ${hidden.join(', ')}`,
  ]
    .filter((text) => text !== '')
    .map(harmless)
    .join('; ');
}
