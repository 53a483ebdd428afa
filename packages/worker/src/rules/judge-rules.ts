import type { InboxRequest } from '@bemi-db/trail/inbox';
import { parseRulesRequest, type RulesEvent, type RulesRequest } from '@bemi-db/trail/rules/rules-event';
import { CompiledRules, type RuledTable } from '@bemi-db/trail/rules/table-rules';
import {
  areSameRules,
  isWithoutRules,
  needsHashKey,
  type TrackingRules,
} from '@bemi-db/trail/rules/tracking-rules';
import type pg from 'pg';
import { ProblemError } from '../problem.ts';
import type { RulesInForce } from './rules-in-force.ts';
import type { ValueHash } from './value-hash.ts';

/** Rules that the worker's configuration file names: it is the only place then where they are changed. */
export interface ConfiguredRules {
  readonly rules: TrackingRules;
  /** Its name, for people. */
  readonly file: string;
}

/** Rules that an event is to set, and who says so. */
export interface DueRules {
  readonly rules: TrackingRules;
  readonly said: Pick<RulesEvent, 'origin' | 'file' | 'reason' | 'by'>;
}

export interface RulesJudgeOptions {
  readonly inForce: RulesInForce;
  readonly hash: ValueHash | undefined;
  readonly sourceClient: pg.ClientBase;
  /** Asked each time: the file may change. */
  readonly configured: () => ConfiguredRules | undefined;
}

/** Says which rules may come into force: by requests, by the configuration file, by another key. */
export class RulesJudge {
  readonly #options: RulesJudgeOptions;

  constructor(options: RulesJudgeOptions) {
    this.#options = options;
  }

  /** What a request asks for, or why it can't be. */
  async judge(request: InboxRequest): Promise<RulesRequest | string> {
    const asked = parseRulesRequest(request.payload);
    if (typeof asked === 'string') return asked;
    const problem = await this.#problem(asked.rules);
    if (problem) return problem.message;
    // Last, and again: what is in force may have changed meanwhile.
    const { inForce, configured } = this.#options;
    const file = configured()?.file;
    if (file !== undefined)
      return `the rules of this source stand in ${file}, where the worker runs: change them there`;
    const inForceSequence = inForce.current?.sequence ?? null;
    if (asked.basedOn !== undefined && asked.basedOn !== inForceSequence)
      return 'the rules in force have changed meanwhile';
    return asked;
  }

  /**
   * What the worker sets by itself: the file's rules where others are in force, and the same rules anew where the key that
   * hashes is another one.
   *
   * @throws ProblemError where the file's can't be.
   */
  async due(): Promise<DueRules | undefined> {
    const { inForce, hash, configured } = this.#options;
    const wanted = configured();
    const { current, rules } = inForce;
    if (wanted && !areSameRules(wanted.rules, rules)) {
      const problem = await this.#problem(wanted.rules);
      if (problem) {
        const message = `The rules of ${wanted.file} can't be put into force: ${problem.message}`;
        throw new ProblemError({ code: 'rules-refused', message, fix: problem.fix, kind: 'configuration' });
      }
      return { rules: wanted.rules, said: { origin: 'file', file: wanted.file } };
    }
    if (!current) return undefined;
    if (needsHashKey(rules) && !hash) {
      throw new ProblemError({
        code: 'redaction-key-missing',
        message: 'Columns are redacted by a hash, and the worker has no BEMI_ENCRYPTION_KEY',
        fix: 'Set BEMI_ENCRYPTION_KEY to the key that it had before. With another key, equal values are known only from then on.',
        kind: 'configuration',
      });
    }
    const isRedacting = Object.keys(rules.redact).length > 0;
    if (!isRedacting || current.event.hashKey === hash?.keyId) return undefined;
    const { origin, file } = current.event;
    const reason = 'BEMI_ENCRYPTION_KEY is another one';
    return { rules, said: { origin, ...(file === undefined ? {} : { file }), reason, by: 'the worker' } };
  }

  async #problem(rules: TrackingRules): Promise<{ message: string; fix: string } | undefined> {
    const { hash, sourceClient } = this.#options;
    if (needsHashKey(rules) && !hash) {
      return {
        message:
          'to redact by a hash, the worker needs BEMI_ENCRYPTION_KEY: set it there, and start the worker again',
        fix: 'Set BEMI_ENCRYPTION_KEY where the worker runs, and start it again. Make one by: openssl rand -base64 32',
      };
    }
    if (isWithoutRules(rules) || Object.keys(rules.redact).length === 0) return undefined;
    const compiled = new CompiledRules(rules);
    const hidden = (await keyedTables(sourceClient)).flatMap((table) =>
      compiled.hiddenKeyColumns(table).map((column) => `${table.schema}.${table.table}.${column}`),
    );
    if (hidden.length === 0) return undefined;
    const more = hidden.length > mostNamed ? ` and ${hidden.length - mostNamed} others` : '';
    return {
      message: `a record is found by its primary key, which can be hashed, and not omitted or masked: ${hidden.slice(0, mostNamed).join(', ')}${more}`,
      fix: 'Redact these columns by hash, or write a pattern that leaves them out.',
    };
  }
}

const mostNamed = 5;

/** The tables of a source that have a primary key, as they are now. */
async function keyedTables(client: pg.ClientBase): Promise<RuledTable[]> {
  const { rows } = await client.query<Omit<RuledTable, 'columns'>>(
    `SELECT n.nspname AS schema, c.relname AS table, coalesce(rn.nspname, n.nspname) AS "rootSchema",
            coalesce(root.relname, c.relname) AS "rootTable",
            (SELECT json_agg(a.attname) FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey)) AS "primaryKey"
       FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
       LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid)
       LEFT JOIN pg_namespace rn ON rn.oid = root.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'bemi')
        AND n.nspname !~ '^pg_toast|^pg_temp'`,
  );
  return rows.map((row) => ({ ...row, columns: row.primaryKey }));
}
