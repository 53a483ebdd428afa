/**
 * Strings, quoted names, dollar-quoted bodies and comments, each of which may hold anything.
 *
 * Comments nest in PostgreSQL, which a regular expression can't follow: only their start is found here. Without
 * `standard_conforming_strings`, a backslash in a plain string means more than this knows; at worst a text is then
 * taken for a write, or not taken for one.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
const OPAQUE =
  /\be'(?:[^'\\]|\\.|'')*(?:'|$)|'[^']*(?:'|$)|"[^"]*(?:"|$)|--[^\n\r]*|\/\*|(?<![\w$\u0080-\uffff])(\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)(?:.*?\1|.*)/gis;
const COMMENT_EDGE = /\/\*|\*\//g;

/**
 * SQL in which each comment is a blank, and each string, quoted name and dollar-quoted body is `""`. What is left
 * is keywords, plain names, numbers and punctuation: a `;` divides statements, a keyword is one.
 */
export function withoutLiterals(sql: string): string {
  let left = '';
  let position = 0;
  for (;;) {
    OPAQUE.lastIndex = position;
    const match = OPAQUE.exec(sql);
    if (match === null) return left + sql.slice(position);
    const [opening] = match;
    left += sql.slice(position, match.index) + (/^[-/]/.test(opening) ? ' ' : '""');
    position = opening === '/*' ? commentEnd(sql, OPAQUE.lastIndex) : OPAQUE.lastIndex;
  }
}

function commentEnd(sql: string, from: number): number {
  COMMENT_EDGE.lastIndex = from;
  for (let depth = 1; depth > 0; ) {
    const edge = COMMENT_EDGE.exec(sql);
    if (edge === null) return sql.length;
    depth += edge[0] === '/*' ? 1 : -1;
  }
  return COMMENT_EDGE.lastIndex;
}
