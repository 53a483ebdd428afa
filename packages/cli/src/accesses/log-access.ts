import { parseOperations, parseTableFilter } from '../trail-reading/change-arguments.ts';
import { parseMoment } from '../trail-reading/moment-argument.ts';
import type { LogFlags } from '../trail-reading/run-log.ts';
import { accessedTable } from './accessed-table.ts';
import type { Looked } from './told-access.ts';

/** Flags that say how changes are shown, or are told by a member of their own. */
const untold: ReadonlySet<string> = new Set<keyof LogFlags>([
  'limit',
  'follow',
  'changedOnly',
  'json',
  'source',
  'embedded',
  'table',
  'primaryKey',
  'operation',
  'since',
  'until',
  'context',
  'changed',
  'value',
  'valueBefore',
  'valueAfter',
]);

/** What `bemi log` looks at: of what it is filtered by the names, and never the values. */
export function logAccess(flags: LogFlags, log: string, now: Date): Looked {
  const { table, primaryKey, operation, since, until, context = [] } = flags;
  const { changed = [], value = [], valueBefore = [], valueAfter = [] } = flags;
  const filters = Object.keys(flags)
    .filter((name) => !untold.has(name))
    .map(kebab);
  const members = context.map((text) => `context.${text.slice(0, Math.max(text.indexOf('='), 0))}`);
  const columns = [...value, ...valueBefore, ...valueAfter].map((text) =>
    text.slice(0, Math.max(text.search(/[=~]/), 0)),
  );
  const all = [
    ...members,
    ...changed.map((column) => `changed.${column}`),
    ...columns.map((column) => `value.${column}`),
    ...filters,
  ];
  return {
    what: flags.follow ? 'live' : 'search',
    command: 'log',
    log,
    ...(table === undefined ? {} : { tables: table.map((each) => accessedTable(parseTableFilter(each))) }),
    ...(primaryKey === undefined ? {} : { key: primaryKey }),
    ...(operation === undefined ? {} : { operations: parseOperations(operation) }),
    ...(since === undefined ? {} : { since: parseMoment(since, '--since', now) }),
    ...(until === undefined ? {} : { until: parseMoment(until, '--until', now) }),
    ...(all.length === 0 ? {} : { filters: all }),
  };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
