import type { Access } from './access.ts';

/** `bemi.request_access` takes 8,192 bytes in its own form of JSON, with blanks. */
const mostBytes = 7_000;
const mostOfList = 50;
const longestName = 200;
const longestText = 500;
/** What is longer, a change has as a digest. */
const longestKey = 2_000;

// What the function refuses: nobody can hide his access behind a character in what his browser says of itself.
const harmful = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/gu;

/** A list that was cut, and how much of it there is. */
type Cuttable = 'filters' | 'tables' | 'operations';

/**
 * What `bemi.request_access` is given: the members that an access has, cut to what fits. `shortened` says that something
 * was cut.
 */
export function accessPayload(access: Access): Readonly<Record<string, unknown>> {
  let isShortened = false;
  const text = (value: string, most = longestText): string => {
    const clean = value.replaceAll(harmful, '�');
    if (clean.length <= most) return clean;
    isShortened = true;
    return `${clean.slice(0, most - 1).replace(/\p{Surrogate}$/u, '')}…`;
  };
  const list = <T>(values: readonly T[]): T[] => {
    isShortened ||= values.length > mostOfList;
    return values.slice(0, mostOfList);
  };
  const { by, tables, key, operations, filters, since, until, began, ended, ...plain } = access;
  const { sequence, firstSequence, lastSequence, ...rest } = plain;
  const payload: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined) payload[name] = typeof value === 'string' ? text(value) : value;
  }
  for (const [name, value] of Object.entries({ sequence, firstSequence, lastSequence })) {
    if (value !== undefined) payload[name] = Number(value);
  }
  for (const [name, value] of Object.entries({ since, until, began, ended })) {
    if (value !== undefined) payload[name] = value.toISOString();
  }
  if (by) {
    const said = Object.entries(by).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, text(value, longestName)] as const] : [],
    );
    payload['by'] = Object.fromEntries(said);
  }
  if (key !== undefined) payload['key'] = text(key, longestKey);
  if (tables) {
    payload['tables'] = list(tables).map(({ schema, table }) => ({
      ...(schema === undefined ? {} : { schema: text(schema, longestName) }),
      table: text(table, longestName),
    }));
  }
  if (operations) payload['operations'] = list(operations).map((each) => text(each, longestName));
  if (filters) payload['filters'] = list(filters).map((each) => text(each, longestName));
  for (const name of ['filters', 'tables', 'operations'] satisfies Cuttable[]) {
    const values = payload[name];
    while (Array.isArray(values) && values.length > 0 && sizeOf(payload) > mostBytes) {
      values.length = Math.floor(values.length / 2);
      isShortened = true;
    }
  }
  return isShortened ? { ...payload, shortened: true } : payload;
}

function sizeOf(payload: object): number {
  return Buffer.byteLength(JSON.stringify(payload));
}
