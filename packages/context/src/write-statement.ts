import { withoutLiterals } from './sql-text.ts';

/**
 * Blanks, comments and empty statements, then the first keyword. A nested comment leaves no match. There is one way
 * only to match each character: no text makes it slow.
 */
const FIRST_KEYWORD = /^(?:[\s;]|--[^\n\r]*[\n\r]|\/\*(?:[^*/]|\*(?!\/)|\/(?!\*))*\*\/)*([a-z]+)/i;
const CHANGES_ROWS = /^(?:insert|update|delete|merge|truncate)$/i;
/** A text without any of these words neither writes nor holds a statement that does. */
const MAY_WRITE = /\b(?:insert|update|delete|merge|truncate|into|copy|execute|create)\b/i;

/** INSERT, UPDATE, DELETE or MERGE in parentheses or right behind them, as a WITH holds it. */
const WRITE_IN_PARENTHESES =
  /[()]\s*(?:insert\s+into|update|delete\s+from|merge\s+into)\b\s*["\w\u0080-\uffff]/i;
const EXPLAIN_ANALYZE = /^explain\s*(?:analy[sz]e\b(?:\s*verbose\b)?|\([^)]*\banaly[sz]e\b[^)]*\))\s*/i;
const COPY_FROM = /^copy\s*[^\s(][\s\S]*?\b(from|to)\b/i;
const CREATE_TABLE_AS =
  /^create\s+(?:(?:global|local|temporary|temp|unlogged)\s+)*table\b[\s\S]*\bas\s*(?:\(|select\b|with\b|values\b|table\b|execute\b)/i;

/**
 * What must come before a transaction's first query: a text that has it, and doesn't begin with a write, is left
 * as it is. With a message in front, SET TRANSACTION would fail, and a snapshot be older than its locks.
 */
const MUST_COME_FIRST =
  /\b(?:isolation\s+level|read\s+only|read\s+write|deferrable|snapshot|lock|transaction_(?:isolation|read_only|deferrable))\b/i;

/**
 * What can't run in a transaction block, so only as a text of its own. Should its strings be read wrongly, for
 * want of knowing `standard_conforming_strings`, nothing that looks like a second statement may count.
 */
const MUST_BE_ALONE =
  /^(?:vacuum|reindex|cluster|discard|(?:create|drop|alter)\s+(?:database|tablespace|subscription|system)|(?:commit|rollback)\s+prepared)\b|\bconcurrently\b/i;
const MAY_COMMIT_INSIDE = /^(?:call|do)\b/i;

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

  function mayWrite(sql: string): boolean {
    return (
      MAY_WRITE.test(sql) ||
      call?.test(sql) === true ||
      (routines.call === true && /\bcall\b/i.test(sql)) ||
      (routines.do === true && /\bdo\b/i.test(sql))
    );
  }

  function isWrite(statement: string, sql: string): boolean {
    if (statementChangesRows(statement)) return true;
    switch (keywordOf(statement)) {
      case 'call':
        return routines.call === true || call?.test(sql) === true;
      case 'do':
        return routines.do === true;
      case 'select':
      case 'values':
      case 'with':
        return call?.test(sql) === true;
      default:
        return false;
    }
  }

  return (sql) => {
    const first = FIRST_KEYWORD.exec(sql)?.[1];
    if (first !== undefined && CHANGES_ROWS.test(first)) return true;
    if (!mayWrite(sql)) return false;

    const statements = withoutLiterals(sql)
      .split(';')
      .map((statement) => statement.trim())
      .filter((statement) => statement !== '');
    const firstWrite = statements.findIndex((statement) => isWrite(statement, sql));
    if (firstWrite <= 0) return firstWrite === 0;
    const ahead = statements.slice(0, firstWrite);
    if (ahead.some((statement) => MUST_BE_ALONE.test(statement) || MUST_COME_FIRST.test(statement)))
      return false;
    return !(sql.includes('\\') && ahead.some((statement) => MAY_COMMIT_INSIDE.test(statement)));
  };
}

/** Without the application's word on its functions, CALL and DO: they count as reads. */
export const changesRows: ChangesRows = changesRowsWith({});

/** A name and a parenthesis, in or out of strings and comments: at worst a message goes that nobody needs. */
function callOf(names: readonly string[]): RegExp {
  const alternatives = names.map((name) => name.replace(/[^\w\u0080-\uffff]/g, String.raw`\$&`)).join('|');
  return new RegExp(String.raw`(?<![\w$\u0080-\uffff])(?:${alternatives})"?\s*\(`, 'i');
}

function keywordOf(statement: string): string {
  return /^[(\s]*([a-z]+)/i.exec(statement)?.[1]?.toLowerCase() ?? '';
}

/** @param statement - one statement, without comments, strings and quoted names. */
function statementChangesRows(statement: string): boolean {
  switch (keywordOf(statement)) {
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
    case 'truncate':
    case 'execute':
      return true;
    case 'select':
      return /\binto\b/i.test(statement);
    case 'with':
      return WRITE_IN_PARENTHESES.test(statement) || /\binto\b/i.test(statement);
    case 'copy':
      // Never COPY … TO, even of a write: a stream of pg-copy-streams reads the socket itself.
      return COPY_FROM.exec(statement)?.[1]?.toLowerCase() === 'from';
    case 'create':
      return CREATE_TABLE_AS.test(statement);
    case 'explain': {
      const explained = statement.replace(EXPLAIN_ANALYZE, '');
      return explained !== statement && statementChangesRows(explained);
    }
    default:
      return false;
  }
}
