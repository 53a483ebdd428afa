import type pg from 'pg';
import type { SeededRandom } from './seeded-random.ts';
import { textLiteral } from './sql-literals.ts';
import { watchSql } from './witness.ts';
import type { WorkloadStatement } from './workload-statement.ts';

/** A table that DDL changes, as it is now; it is known by its OID, since its name changes too. */
interface AlteredTable {
  readonly oid: number;
  readonly name: string;
  readonly hasKey: boolean;
  /** Columns that were added. */
  readonly added: readonly string[];
  /** How many columns it has ever had: there is a limit of 1,600. */
  readonly columnNumbers: number;
}

const highestColumnNumber = 1_400;

async function readTables(client: pg.Client): Promise<AlteredTable[]> {
  const { rows } = await client.query<AlteredTable>(
    `SELECT c.oid, format('shop.%I', c.relname) AS name, c.relhasindex AS "hasKey", c.relnatts AS "columnNumbers",
            ARRAY(SELECT quote_ident(attname) FROM pg_attribute
                   WHERE attrelid = c.oid AND attname LIKE 'added%' AND NOT attisdropped ORDER BY attnum) AS added
       FROM pg_class c JOIN witness.watched w ON w.oid = c.oid
      WHERE c.relnamespace = 'shop'::regnamespace AND c.relname LIKE 'altered%' ORDER BY c.oid`,
  );
  return rows;
}

function anyAlteration(table: AlteredTable, random: SeededRandom): string {
  const { name } = table;
  if (table.hasKey && random.chance(0.2)) return changeOfIdentity(name, random.chance(0.5));
  const column = table.added.length > 0 ? random.pick(table.added) : undefined;
  const newColumn = `added_${random.below(1e9)}`;
  if (column && random.chance(0.25)) return `ALTER TABLE ${name} DROP COLUMN ${column}`;
  if (column && random.chance(0.35)) return `ALTER TABLE ${name} RENAME COLUMN ${column} TO ${newColumn}`;
  if (column && random.chance(0.2)) {
    return `ALTER TABLE ${name} ALTER COLUMN ${column} TYPE ${random.pick(['text', 'varchar'])} USING ${column}::text`;
  }
  if (random.chance(0.3) || table.columnNumbers > highestColumnNumber) {
    const [, base] = /^shop\."?(altered_[a-z]+)/.exec(name)!;
    return `ALTER TABLE ${name} RENAME TO "${base}${random.chance(0.3) ? '' : ` ${random.below(100)}`}"`;
  }
  const type = random.pick([
    'integer',
    `text DEFAULT 'filled'`,
    'numeric DEFAULT 1.50',
    `timestamptz DEFAULT '2020-02-02 02:02:02+00'`,
    'jsonb',
  ]);
  return `ALTER TABLE ${name} ADD COLUMN ${newColumn} ${type}`;
}

/** As `bemi setup` does it on tables that are in use. The journal's triggers change with it. */
function changeOfIdentity(name: string, isFull: boolean): string {
  return `ALTER TABLE ${name} REPLICA IDENTITY ${isFull ? 'FULL' : 'DEFAULT'};
          ${watchSql({ name, identity: isFull ? 'full' : ['id'], key: ['id'] })}`;
}

/**
 * Alters a table, in the client's transaction. The log has no DDL, so each row is written again in its new shape; a table
 * without a key is emptied before, since its rows are known by their whole content.
 */
export async function alterTable(client: pg.Client, random: SeededRandom): Promise<void> {
  const table = random.pick(await readTables(client));
  if (table.hasKey && random.chance(0.5))
    await client.query(`UPDATE ${table.name} SET v = 'before DDL' WHERE id % 3 = 0`);
  if (!table.hasKey) await client.query(`TRUNCATE ${table.name}`);
  await client.query(anyAlteration(table, random));
  if (!table.hasKey) return;
  const { rows } = await client.query<{ name: string }>('SELECT $1::oid::regclass::text AS name', [
    table.oid,
  ]);
  await client.query(`UPDATE ${rows[0]!.name} SET revision = revision + 1`);
}

/** Writes to tables that others alter; where the statement comes too late, it fails. */
export const alteredTableStatements: readonly WorkloadStatement[] = [
  {
    name: 'write to an altered table',
    weight: 10,
    async run(client, random) {
      const { name, hasKey, added } = random.pick(await readTables(client));
      const sets = [
        `v = ${textLiteral(random)}`,
        'revision = revision + 1',
        ...added.map((column) => `${column} = DEFAULT`),
      ];
      const kind = random.below(hasKey ? 4 : 3);
      if (kind === 0) {
        await client.query(`UPDATE ${name} SET ${random.pick(sets)} WHERE revision % 2 = ${random.below(2)}`);
      } else if (kind === 1) {
        await client.query(
          `DELETE FROM ${name} WHERE ctid IN (SELECT ctid FROM ${name} ORDER BY v LIMIT ${random.between(1, 4)} FOR UPDATE SKIP LOCKED)`,
        );
      } else if (hasKey) {
        await client.query(`INSERT INTO ${name} (id, v) SELECT n, ${textLiteral(random)}
          FROM generate_series(${random.below(60)}, ${random.below(60)}) n ON CONFLICT DO NOTHING`);
      } else {
        await client.query(
          `INSERT INTO ${name} (v) SELECT ${textLiteral(random)} FROM generate_series(1, 5)`,
        );
      }
    },
  },
];
