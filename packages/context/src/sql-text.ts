/**
 * Strings, quoted names, dollar-quoted bodies and comments, each of which may hold anything.
 *
 * Comments nest in PostgreSQL, which a regular expression can't follow: only their start is found here. Without
 * `standard_conforming_strings`, a backslash in a plain string means more than this knows; at worst a text is then
 * taken for a write, or not taken for one.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
const OPAQUE = new RegExp(
  [
    String.raw`\b[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)`,
    `'[^']*(?:'|$)`,
    `"[^"]*(?:"|$)`,
    String.raw`--[^\n\r]*`,
    String.raw`/\*`,
    String.raw`(?<![\w$\u0080-\uffff])\$(?<tag>(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$`,
  ].join('|'),
  'g',
);
const COMMENT_EDGE = /\/\*|\*\//g;

/**
 * SQL in which each comment is a blank, and each string, quoted name and dollar-quoted body is `""`. What is left
 * is keywords, plain names, numbers and punctuation: a `;` divides statements, a keyword is one.
 */
export function withoutLiterals(sql: string): string {
  let left = '';
  let position = 0;
  OPAQUE.lastIndex = 0;
  for (let match = OPAQUE.exec(sql); match !== null; match = OPAQUE.exec(sql)) {
    const opening = match[0];
    left += sql.slice(position, match.index);
    if (opening === '/*') position = commentEnd(sql, OPAQUE.lastIndex);
    else if (opening.startsWith('$')) position = endOf(opening, sql, OPAQUE.lastIndex);
    else position = OPAQUE.lastIndex;
    left += opening === '/*' || opening.startsWith('--') ? ' ' : '""';
    OPAQUE.lastIndex = position;
  }
  return left + sql.slice(position);
}

function endOf(closing: string, sql: string, from: number): number {
  const found = sql.indexOf(closing, from);
  return found === -1 ? sql.length : found + closing.length;
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
