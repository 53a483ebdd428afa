/**
 * How the text that PostgreSQL prints for a type becomes JSON, so that a row equals what `to_jsonb(row)` gives
 * on the source (json_categorize_type in PostgreSQL's jsonfuncs.c decides the same way):
 * - `number`: smallint to numeric, bare; NaN and the infinities quoted.
 * - `boolean`, `json` (json and jsonb, as they are), `timestamp` and `timestamptz` (ISO 8601 with a T).
 * - `array` and `composite` by their parts; `vector` is int2vector and oidvector, whose text has no braces.
 * - `hstore`: an object of texts. It stands for all types of extensions that have a cast to json, which `to_jsonb`
 *   uses: the only one whose text alone is enough to do the same.
 * - `text`: everything else is a string with the type's own text.
 */
export type TypeEncoding =
  | 'text'
  | 'number'
  | 'boolean'
  | 'json'
  | 'jsonb'
  | 'timestamp'
  | 'timestamptz'
  | 'hstore'
  | { readonly vector: TypeEncoding }
  | { readonly array: TypeEncoding; readonly delimiter: string }
  | { readonly composite: readonly CompositeField[] };

export interface CompositeField {
  readonly name: string;
  readonly encoding: TypeEncoding;
}

/** Type OIDs that never change, as in pg_type.dat. */
const builtInEncodings = new Map<number, TypeEncoding>([
  [16, 'boolean'],
  [20, 'number'], // bigint
  [21, 'number'], // smallint
  [23, 'number'], // integer
  [700, 'number'], // real
  [701, 'number'], // double precision
  [1700, 'number'], // numeric
  [114, 'json'],
  [3802, 'jsonb'],
  [1114, 'timestamp'],
  [1184, 'timestamptz'],
  [22, { vector: 'number' }], // int2vector
  [30, { vector: 'text' }], // oidvector
]);

/** What one row of pg_type says, as far as the encoding depends on it. */
export interface CatalogType {
  readonly oid: number;
  /** typtype: b base, c composite, d domain, e enum, r range, m multirange, p pseudo. */
  readonly kind: string;
  /** Of a domain. */
  readonly baseOid: number;
  /** Of a true array; 0 for any other type. */
  readonly elementOid: number;
  /** typdelim of the element. */
  readonly elementDelimiter: string;
  /** The C function of the cast from it to json, if an extension made one. */
  readonly jsonCast: string | undefined;
  /** Of a composite type, in order, without dropped ones. */
  readonly fields: readonly { readonly name: string; readonly typeOid: number }[];
}

/** The encoding of a type, from the catalog rows that it depends on; `undefined` when they are not all there. */
export function typeEncoding(oid: number, types: ReadonlyMap<number, CatalogType>): TypeEncoding | undefined {
  const builtIn = builtInEncodings.get(oid);
  if (builtIn) return builtIn;
  const type = types.get(oid);
  if (!type) return undefined;
  if (type.kind === 'd') return typeEncoding(type.baseOid, types);
  if (type.elementOid !== 0) {
    const element = typeEncoding(type.elementOid, types);
    return element && { array: element, delimiter: type.elementDelimiter };
  }
  if (type.kind === 'c') {
    const composite: CompositeField[] = [];
    for (const { name, typeOid } of type.fields) {
      const encoding = typeEncoding(typeOid, types);
      if (!encoding) return undefined;
      composite.push({ name, encoding });
    }
    return { composite };
  }
  return type.jsonCast === 'hstore_to_json' ? 'hstore' : 'text';
}

/** Whether a value of this encoding may hold JSON text that `jsonb` would reject. */
export function holdsJson(encoding: TypeEncoding): boolean {
  if (typeof encoding === 'string') return encoding === 'json';
  if ('vector' in encoding) return false;
  if ('array' in encoding) return holdsJson(encoding.array);
  return encoding.composite.some((field) => holdsJson(field.encoding));
}

/** Whether a value of this encoding has parts that ALTER TYPE can change without a word in the stream. */
export function holdsComposite(encoding: TypeEncoding): boolean {
  if (typeof encoding === 'string' || 'vector' in encoding) return false;
  return 'array' in encoding ? holdsComposite(encoding.array) : true;
}
