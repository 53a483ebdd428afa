import type { DdlEntry } from './ddl-entry.ts';

/**
 * DDL as one line of JSON, for programs: the members of a change (`changeJson`), with `"operation":"DDL"`, the first table
 * that it names as `schema` and `table`, and null where DDL has nothing; and `ddl`, the message as the source sent it
 * (docs/spec/ddl-message.md), or `refused`, why it could not be read.
 */
export function ddlJson(ddl: DdlEntry): string {
  const { schema, name } = firstTable(ddl.message);
  const members = [
    `"sequence":${ddl.sequence}`,
    '"operation":"DDL"',
    `"schema":${JSON.stringify(schema)}`,
    `"table":${JSON.stringify(name)}`,
    '"primaryKey":null,"before":null,"after":null,"changed":null',
    `"context":${oneLine(ddl.context)}`,
    `"timestamp":${JSON.stringify(ddl.timestamp)}`,
    `"transactionId":${ddl.transactionId ?? 'null'}`,
    `"position":${JSON.stringify(ddl.position ?? null)}`,
    ...(ddl.authenticity === undefined || ddl.authenticity === 'unsigned'
      ? []
      : [`"authenticity":${JSON.stringify(ddl.authenticity)}`]),
    ...(ddl.actor === undefined ? [] : [`"actor":${oneLine(ddl.actor)}`]),
    `"ddl":${oneLine(ddl.message)}`,
    ...(ddl.refused === undefined ? [] : [`"refused":${JSON.stringify(ddl.refused)}`]),
    ...(ddl.erased ? ['"erased":true'] : []),
    ...(ddl.contextErased ? ['"contextErased":true'] : []),
  ];
  return `{${members.join(',')}}`;
}

function firstTable(message: string | undefined): { schema: string | null; name: string | null } {
  const { objects } = JSON.parse(message ?? '{}') as { objects?: unknown };
  for (const object of Array.isArray(objects) ? objects : []) {
    const { schema, name } = (object ?? {}) as Record<string, unknown>;
    if (typeof schema === 'string' && typeof name === 'string') return { schema, name };
  }
  return { schema: null, name: null };
}

/** A line break in JSON text can only be white space between tokens: inside strings it is escaped. */
function oneLine(json: string | undefined): string {
  return json?.replaceAll(/[\r\n]/g, ' ') ?? 'null';
}
