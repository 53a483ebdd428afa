import type { Change } from '@bemi-db/trail/query/change';
import type { DdlEntry } from '@bemi-db/trail/query/ddl-entry';
import type { LogEntry } from '@bemi-db/trail/query/log-entries';

/** How rows and contexts are written: as they are, or as texts of JSON, for readers that would round their numbers. */
export type ValueForm = 'json' | 'text';

/** An entry as JSON text, `Entry` of the API. Values are copied, never read: a number keeps all its digits. */
export function entryJson(entry: LogEntry, form: ValueForm): string {
  return entry.kind === 'change' ? changeMembers(entry.change, form) : ddlMembers(entry.ddl, form);
}

function changeMembers(change: Change, form: ValueForm): string {
  return object({
    kind: '"change"',
    sequence: text(change.sequence),
    operation: text(change.operation),
    schema: text(change.schema),
    table: text(change.table),
    primaryKey: text(change.primaryKey),
    beforeKind: text(change.beforeKind),
    before: value(change.before, form),
    after: value(change.after, form),
    changed: change.changed ? JSON.stringify(change.changed) : 'null',
    context: value(change.context, form),
    authenticity: text(change.authenticity),
    actor: value(change.actor, 'json'),
    timestamp: text(change.timestamp),
    transaction: text(change.transaction),
    transactionId: text(change.transactionId),
    position: text(change.position),
    quarantined: text(change.rowQuarantine),
    contextQuarantined: text(change.contextQuarantine),
    erased: String(change.erased),
    contextErased: String(change.contextErased),
    actorErased: String(change.actorErased),
  });
}

function ddlMembers(ddl: DdlEntry, form: ValueForm): string {
  return object({
    kind: '"ddl"',
    sequence: text(ddl.sequence),
    message: value(ddl.message, form),
    refused: text(ddl.refused),
    context: value(ddl.context, form),
    authenticity: text(ddl.authenticity),
    actor: value(ddl.actor, 'json'),
    timestamp: text(ddl.timestamp),
    transaction: text(ddl.transaction),
    transactionId: text(ddl.transactionId),
    position: text(ddl.position),
    erased: String(ddl.erased),
    contextErased: String(ddl.contextErased),
  });
}

function object(members: Readonly<Record<string, string>>): string {
  return `{${Object.entries(members)
    .map(([name, json]) => `"${name}":${json}`)
    .join(',')}}`;
}

function text(value: string | undefined): string {
  return JSON.stringify(value ?? null);
}

function value(json: string | undefined, form: ValueForm): string {
  if (json === undefined) return 'null';
  // A line break in JSON text is white space between tokens; a stream of events has one entry a line.
  return form === 'text' ? JSON.stringify(json) : json.replaceAll(/[\r\n]/g, ' ');
}
