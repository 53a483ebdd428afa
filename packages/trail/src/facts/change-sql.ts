import type { Operation } from '@bemi-db/proof/record';
import { jsonMembers, plainText } from './json-members.ts';

/** What a statement is made of: a change, with `null` where it has nothing. */
export interface ChangedRow {
  readonly operation: Operation;
  readonly schema: string;
  readonly table: string;
  readonly beforeKind: 'full' | 'key' | 'none';
  /** JSON texts of objects. */
  readonly before: string | null;
  readonly after: string | null;
  /** Columns that an UPDATE changed; `null` where that is not known. */
  readonly changed: readonly string[] | null;
}

/** What is known of the table. */
export interface TableFacts {
  /** Columns of the primary key. */
  readonly key: readonly string[];
  /** Columns whose values SQL takes as the text that the log has: all but those of `json`, arrays and composite types. */
  readonly plain: readonly string[];
}

/**
 * The statement that makes a change again, or the one that undoes it, with `;` at its end. Where the log doesn't have what
 * it takes, a comment says so. Numbers are written as they were recorded, and names and values can't leave their quotes.
 *
 * @example
 * changeSql(change, 'again', { key: ['id'], plain: ['id', 'status'] });
 * // UPDATE "public"."Patient" SET "status" = 'active' WHERE "id" = 42;
 */
export function changeSql(change: ChangedRow, way: 'again' | 'undo', table: TableFacts): string {
  const statement = new Statement(change, table);
  switch (change.operation) {
    case 'TRUNCATE':
      return way === 'again'
        ? `TRUNCATE ${statement.name};`
        : unknown(change, 'a TRUNCATE says nothing of the rows');
    case 'INSERT':
      return way === 'again' ? statement.insert(change.after) : statement.remove(change.after);
    case 'DELETE':
      if (way === 'again') return statement.remove(change.before);
      return change.beforeKind === 'full'
        ? statement.insert(change.before)
        : unknown(change, 'only the key of the deleted row is known');
    case 'UPDATE': {
      if (change.changed === null || change.before === null || change.after === null)
        return unknown(change, 'which columns changed is not known');
      return way === 'again'
        ? statement.update(change.after, change.before, change.changed)
        : statement.update(change.before, change.after, change.changed);
    }
  }
}

/** An identifier of SQL. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string of SQL, read alike whatever `standard_conforming_strings` is. */
export function quotedText(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return doubled.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'`.trimStart() : `'${doubled}'`;
}

function unknown({ operation, schema, table }: ChangedRow, why: string): string {
  // Within a comment a line break would begin a statement.
  const name = `${schema}.${table}`.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
  return `-- ${operation} ${name}: ${why}.`;
}

class Statement {
  readonly name: string;
  readonly #table: TableFacts;
  readonly #change: ChangedRow;

  constructor(change: ChangedRow, table: TableFacts) {
    this.name = `${quotedName(change.schema)}.${quotedName(change.table)}`;
    this.#change = change;
    this.#table = table;
  }

  insert(row: string | null): string {
    const values = valuesOf(row);
    if (values.size === 0) return unknown(this.#change, 'the row is not known');
    const names = [...values.keys()].map(quotedName).join(', ');
    const texts = [...values].map(([name, value]) => this.#value(name, value));
    // Without it, an identity that is ALWAYS generated refuses its own value.
    return `INSERT INTO ${this.name} (${names}) OVERRIDING SYSTEM VALUE VALUES (${texts.join(', ')});`;
  }

  remove(row: string | null): string {
    const where = this.#where(valuesOf(row));
    return where === undefined
      ? unknown(this.#change, 'the row is not known')
      : `DELETE FROM ${this.name} WHERE ${where};`;
  }

  /** @param to - the row as it becomes. @param from - the row that is there. */
  update(to: string, from: string, columns: readonly string[]): string {
    const values = valuesOf(to);
    const missing = columns.filter((name) => !values.has(name));
    if (missing.length > 0) return unknown(this.#change, 'a value is not in the log');
    const where = this.#where(valuesOf(from));
    if (where === undefined) return unknown(this.#change, 'the row is not known');
    const set = columns.map((name) => `${quotedName(name)} = ${this.#value(name, values.get(name)!)}`);
    return `UPDATE ${this.name} SET ${set.join(', ')} WHERE ${where};`;
  }

  /** By the key; of a table without one, one row that is the same in all columns. */
  #where(row: ReadonlyMap<string, string>): string | undefined {
    if (row.size === 0) return undefined;
    const { key } = this.#table;
    if (key.length > 0 && key.every((name) => row.has(name)))
      return key.map((name) => `${quotedName(name)} = ${this.#value(name, row.get(name)!)}`).join(' AND ');
    if (key.length > 0) return undefined;
    const json = `{${[...row].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
    return `ctid = (SELECT ctid FROM ${this.name} AS t WHERE to_jsonb(t) @> ${quotedText(json)}::jsonb LIMIT 1)`;
  }

  #value(name: string, json: string): string {
    if (json === 'null') return 'NULL';
    if (this.#table.plain.includes(name) && !/^[[{]/.test(json))
      return json.startsWith('"') ? quotedText(plainText(json)) : json;
    // PostgreSQL reads it back by the column's type, as the inverse of how the log was written.
    const member = quotedText(`{${JSON.stringify(name)}:${json}}`);
    return `(SELECT ${quotedName(name)} FROM json_populate_record(NULL::${this.name}, ${member}))`;
  }
}

function valuesOf(row: string | null): Map<string, string> {
  return new Map(row === null ? [] : jsonMembers(row).map(({ name, value }) => [name, value]));
}
