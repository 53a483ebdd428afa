import { oneOf } from '../app/address.ts';

/** Which record, at which moments. */
export interface RecordAddress {
  /** `schema.table`. */
  readonly table?: string;
  /** As recorded: a text, or a JSON array of texts. */
  readonly primaryKey?: string;
  /** The moment that is shown: the sequence of the last change until then. */
  readonly sequence?: string;
  /** The moment that is shown, by time; `sequence` counts more. */
  readonly at?: string;
  /** The moment that it is compared with, as a sequence; without it, now. */
  readonly with?: string;
}

const sequencePattern = /^\d{1,18}$/;

/** Takes of an address what makes sense; the rest is as if it was not there. */
export function recordAddress(members: Record<string, unknown>): RecordAddress {
  const [table, primaryKey] = [oneOf(members, 'table'), oneOf(members, 'primaryKey')];
  const [sequence, at, other] = [oneOf(members, 'sequence'), oneOf(members, 'at'), oneOf(members, 'with')];
  return {
    ...(table === undefined ? {} : { table }),
    ...(primaryKey === undefined ? {} : { primaryKey }),
    ...(sequence !== undefined && sequencePattern.test(sequence) ? { sequence } : {}),
    ...(at !== undefined && !Number.isNaN(Date.parse(at)) ? { at } : {}),
    ...(other !== undefined && sequencePattern.test(other) ? { with: other } : {}),
  };
}
