import { withoutLiterals } from './sql-text.ts';

/**
 * Blanks, comments and empty statements, then the keyword of a write. A nested comment leaves no match. There is one
 * way only to match each character: no text makes it slow.
 */
const BEGINS_WITH_WRITE =
  /^([\s;]|--[^\n\r]*[\n\r]|\/\*([^*/]|\*(?!\/)|\/(?!\*))*\*\/)*(insert|update|delete|merge|truncate)\b/i;
/** A text without any of these words neither writes nor holds a statement that does. */
const MAY_WRITE = /\b(insert|update|delete|merge|truncate|into|copy|execute|create|call|do)\b/i;

/**
 * One statement, without its comments, strings and quoted names, that changes rows. A WITH holds INSERT, UPDATE, DELETE
 * or MERGE in parentheses or right behind them. Never COPY … TO, even of a write: a stream of pg-copy-streams reads the
 * socket itself.
 */
const CHANGES_ROWS =
  /^[(\s]*((insert|update|delete|merge|truncate|execute|(select|with)\b.*\binto)\b|with\b.*[()]\s*(insert\s+into|update|delete\s+from|merge\s+into)\b\s*["\w\u0080-\uffff]|copy\b\s*[^\s(]((?!\b(from|to)\b).)*\bfrom\b|create\s+((global|local|temporary|temp|unlogged)\s+)*table\b.*\bas\s*(\(|(select|with|values|table|execute)\b))/is;
const EXPLAIN_ANALYZE =
  /^\s*explain\s*(analy[sz]e\b(\s*verbose\b)?|\(((?!\banaly[sz]e\b)[^)])*\banaly[sz]e\b[^)]*\))/i;
const MAY_CALL = /^[(\s]*(call|select|values|with)\b/i;
const MAY_COMMIT_INSIDE = /^\s*(call|do)\b/i;

/**
 * What a text may not have before its first write, or it is left as it is:
 * - what must come before a transaction's first query: with a message in front, SET TRANSACTION would fail, and a
 *   snapshot be older than its locks;
 * - what can't run in a transaction block, so only as a text of its own. Should its strings be read wrongly, for want of
 *   knowing `standard_conforming_strings`, nothing that looks like a second statement may count.
 */
const MUST_COME_FIRST =
  /\b(isolation\s+level|read\s+(only|write)|deferrable|snapshot|lock|transaction_(isolation|read_only|deferrable)|concurrently)\b|^\s*(vacuum|reindex|cluster|discard|(create|drop|alter)\s+(database|tablespace|subscription|system)|(commit|rollback)\s+prepared)\b/i;

/** Which statements that can't be told from reads, or may commit inside, get a message all the same. */
export interface WritingRoutines {
  /**
   * Names, without schema and quotes, of functions and procedures that write: a SELECT, VALUES, WITH or CALL that
   * names one gets a message. None may commit inside.
   */
  readonly writingFunctions?: readonly string[];
  /** Each CALL gets a message. A procedure that commits inside then fails (2D000). Default: false. */
  readonly call?: boolean;
  /** Each DO gets a message. A block that commits inside then fails (2D000). Default: false. */
  readonly do?: boolean;
}

/** Tells of a text of SQL whether it changes rows, so that the context should go before it. */
export type ChangesRows = (sql: string) => boolean;

/**
 * INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY … FROM, SELECT … INTO, CREATE TABLE AS, EXECUTE change rows; so does
 * a WITH or EXPLAIN ANALYZE that holds one of these, and several statements one of which is such. What else
 * does is for the application to say.
 *
 * A write that is taken for a read has no context; a read that is taken for a write sends a message that nobody
 * needs. What may not run in a transaction block (VACUUM, CREATE INDEX CONCURRENTLY …) never counts as a write:
 * with a message before it, it would fail.
 */
export function changesRowsWith(routines: WritingRoutines): ChangesRows {
  const names = routines.writingFunctions ?? [];
  const call = names.length > 0 ? callOf(names) : undefined;

  return (sql) => {
    if (BEGINS_WITH_WRITE.test(sql)) return true;
    const calls = call?.test(sql) === true;
    if (!calls && !MAY_WRITE.test(sql)) return false;

    const isWrite = (statement: string): boolean => {
      const routine = MAY_COMMIT_INSIDE.exec(statement)?.[1]?.toLowerCase() as 'call' | 'do' | undefined;
      return (
        (calls && MAY_CALL.test(statement)) ||
        (routine !== undefined && routines[routine] === true) ||
        CHANGES_ROWS.test(statement.replace(EXPLAIN_ANALYZE, ''))
      );
    };
    // A backslash may hide where a string ends.
    const hidden = sql.includes('\\');
    for (const statement of withoutLiterals(sql).split(';')) {
      if (isWrite(statement)) return true;
      if (MUST_COME_FIRST.test(statement) || (hidden && MAY_COMMIT_INSIDE.test(statement))) return false;
    }
    return false;
  };
}

/**
 * Whether what goes behind a statement that changes rows is sure to be in its transaction: it commits nothing inside, and
 * copies nothing, during which nothing else may be sent.
 */
export function isPlainWrite(sql: string): boolean {
  return BEGINS_WITH_WRITE.test(sql) || /^\s*(with|select|values)\b/i.test(sql);
}

/** Without the application's word on its functions, CALL and DO: they count as reads. */
export const changesRows: ChangesRows = /* @__PURE__ */ changesRowsWith({});

/** A name and a parenthesis, in or out of strings and comments: at worst a message goes that nobody needs. */
function callOf(names: readonly string[]): RegExp {
  const alternatives = names.map((name) => name.replace(/[^\w\u0080-\uffff]/g, String.raw`\$&`)).join('|');
  return new RegExp(String.raw`(?<![\w$\u0080-\uffff])(${alternatives})"?\s*\(`, 'i');
}
