import { withoutLiterals } from './sql-text.ts';

/**
 * Blanks, comments and empty statements, then the first keyword. A nested comment leaves no match. There is one way
 * only to match each character: no text makes it slow.
 */
const FIRST_KEYWORD = /^(?:[\s;]|--[^\n\r]*[\n\r]|\/\*(?:[^*/]|\*(?!\/)|\/(?!\*))*\*\/)*([a-z]+)/i;
const CHANGES_ROWS = /^(?:insert|update|delete|merge|truncate)$/i;
/** A text without any of these words neither writes nor holds a statement that does. */
const MAY_WRITE = /\b(?:insert|update|delete|merge|truncate|into|copy|execute|create)\b/i;

/** INSERT, UPDATE, DELETE or MERGE in parentheses or right behind them, as a WITH or COPY holds it. */
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
const MUST_COME_FIRST = /\b(?:isolation\s+level|read\s+only|read\s+write|deferrable|snapshot|lock)\b/i;

/**
 * Whether a text of SQL changes rows, so that the context should go before it: INSERT, UPDATE, DELETE, MERGE,
 * TRUNCATE, COPY … FROM, SELECT … INTO, CREATE TABLE AS, EXECUTE; a WITH, COPY or EXPLAIN ANALYZE that holds one
 * of these; several statements one of which is such.
 *
 * A write that is taken for a read has no context; a read that is taken for a write sends a message that nobody
 * needs. What may not run in a transaction block (VACUUM, CALL, DO, CREATE INDEX CONCURRENTLY …) never counts as
 * a write: with a message before it, it could fail.
 */
export function changesRows(sql: string): boolean {
  const first = FIRST_KEYWORD.exec(sql)?.[1];
  if (first !== undefined && CHANGES_ROWS.test(first)) return true;
  if (!MAY_WRITE.test(sql)) return false;

  const statements = withoutLiterals(sql)
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  const firstWrite = statements.findIndex(statementChangesRows);
  if (firstWrite <= 0) return firstWrite === 0;
  return !statements.slice(0, firstWrite).some((statement) => MUST_COME_FIRST.test(statement));
}

/** @param statement - one statement, without comments, strings and quoted names. */
function statementChangesRows(statement: string): boolean {
  const keyword = /^[(\s]*([a-z]+)/i.exec(statement)?.[1]?.toLowerCase() ?? '';
  switch (keyword) {
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
      return COPY_FROM.exec(statement)?.[1]?.toLowerCase() === 'from' || WRITE_IN_PARENTHESES.test(statement);
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
