import type { CompiledRules, TableRules } from '@bemi-db/trail/rules/table-rules';
import type { ShapeDocument, TableShape } from '../table-shape.ts';
import { holdsComposite, holdsJson } from '../type-encoding.ts';
import type { ValueEncoding } from '../value-json.ts';
import type { ValueHash } from './value-hash.ts';

/** What is done with the changes of a table that has rules. */
export interface TableTreatment {
  readonly isExcluded: boolean;
  /** 1 for a column that may differ without the change being recorded. */
  readonly ignored: Uint8Array | undefined;
  readonly redaction: Redaction | undefined;
}

export interface Redaction {
  /** The table's shape, with another way of writing those columns that are redacted. */
  readonly shape: TableShape;
  /** Columns that are left out. */
  readonly omitted: readonly number[];
}

const mask = Buffer.from('***');

/** Puts together what rules say of a table of this shape; `undefined` where they say nothing. */
export function tableTreatment(
  rules: CompiledRules,
  shape: TableShape,
  hash: ValueHash | undefined,
): TableTreatment | undefined {
  const { document } = shape;
  const { isRecorded, ignored, redacted } = tableRulesOf(rules, document);
  const isRedacted = Object.keys(redacted).length > 0;
  if (isRecorded && ignored.length === 0 && !isRedacted) return undefined;
  const isIgnored = new Set(ignored);
  return {
    isExcluded: !isRecorded,
    ignored:
      ignored.length === 0
        ? undefined
        : Uint8Array.from(document.columns, ({ name }) => Number(isIgnored.has(name))),
    redaction: isRedacted ? redaction(shape, redacted, hash) : undefined,
  };
}

export function tableRulesOf(rules: CompiledRules, document: ShapeDocument): TableRules {
  return rules.of({ ...document, columns: document.columns.map(({ name }) => name) });
}

function redaction(
  shape: TableShape,
  redacted: TableRules['redacted'],
  hash: ValueHash | undefined,
): Redaction {
  const { columns } = shape.document;
  const by = columns.map(({ name }) => redacted[name]);
  const replaced = by.map((each) => {
    // Without the key nothing is hashed, which the rules' document needs it for; a key that was only to be hidden is not shown.
    if (each === undefined || each === 'omit') return undefined;
    return each === 'hash' && hash ? (bytes: Uint8Array) => Buffer.from(hash.of(bytes)) : () => mask;
  });
  const encodings = shape.encodings.map(
    (encoding, i): ValueEncoding => (replaced[i] ? { replaced: replaced[i] } : encoding),
  );
  const plain = columns.flatMap(({ encoding }, i) => (by[i] === undefined ? encoding : []));
  const isKeyLost = !hash && shape.keyColumns.some((column) => by[column] !== undefined);
  return {
    shape: {
      ...shape,
      encodings,
      keyColumns: isKeyLost ? [] : shape.keyColumns,
      keyReplaced: shape.keyColumns.some((column) => replaced[column]) ? replaced : undefined,
      mayHoldPoison: plain.some(holdsJson),
      holdsComposites: plain.some(holdsComposite),
    },
    omitted: by.flatMap((each, column) => (each === 'omit' ? column : [])),
  };
}
