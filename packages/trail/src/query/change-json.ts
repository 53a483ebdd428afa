import type { Change } from './change.ts';

/**
 * A change as one line of JSON, for programs. Row values, context and numbers are copied as they were recorded.
 * Members: sequence, operation, schema, table, primaryKey, before, after, changed, context, timestamp,
 * transactionId, position; `authenticity`, where the context is another than unsigned; `actor`, where a trigger of the
 * source says who it was; and `erased`, `contextErased` or `actorErased`, true, where the row, the context or the actor was
 * erased: what is null, or not there, then was something.
 */
export function changeJson(change: Change): string {
  const members = [
    `"sequence":${change.sequence}`,
    `"operation":${JSON.stringify(change.operation)}`,
    `"schema":${JSON.stringify(change.schema)}`,
    `"table":${JSON.stringify(change.table)}`,
    `"primaryKey":${JSON.stringify(change.primaryKey ?? null)}`,
    `"before":${oneLine(change.before)}`,
    `"after":${oneLine(change.after)}`,
    `"changed":${JSON.stringify(change.changed ?? null)}`,
    `"context":${oneLine(change.context)}`,
    `"timestamp":${JSON.stringify(change.timestamp)}`,
    `"transactionId":${change.transactionId}`,
    `"position":${JSON.stringify(change.position)}`,
    ...(isUnsigned(change) ? [] : [`"authenticity":${JSON.stringify(change.authenticity)}`]),
    ...(change.actor === undefined ? [] : [`"actor":${oneLine(change.actor)}`]),
    ...(change.erased ? ['"erased":true'] : []),
    ...(change.contextErased ? ['"contextErased":true'] : []),
    ...(change.actorErased ? ['"actorErased":true'] : []),
  ];
  return `{${members.join(',')}}`;
}

function isUnsigned({ authenticity }: Change): boolean {
  return authenticity === undefined || authenticity === 'unsigned';
}

/** A line break in JSON text can only be white space between tokens: inside strings it is escaped. */
function oneLine(json: string | undefined): string {
  return json?.replaceAll(/[\r\n]/g, ' ') ?? 'null';
}
