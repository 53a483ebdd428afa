import { type ArrayElements, arrayLiteral } from '@bemi-db/test-kit/array-literal';
import fc from 'fast-check';
import { text } from './texts.ts';

/** A type, the statements that make it and what it is made of, and texts that are its values. */
export interface GeneratedType {
  /** As SQL names it, with its modifier. */
  readonly name: string;
  readonly statements: readonly string[];
  readonly values: fc.Arbitrary<string>;
  /** Between the elements of its arrays. */
  readonly delimiter: ',' | ';';
}

type TypeTree =
  | { readonly kind: 'builtIn' | 'extension'; readonly name: string }
  | { readonly kind: 'enum'; readonly labels: readonly string[] }
  | { readonly kind: 'range'; readonly subtype: string }
  | { readonly kind: 'domain' | 'array'; readonly of: TypeTree }
  | {
      readonly kind: 'composite';
      readonly fields: readonly { readonly name: string; readonly type: TypeTree }[];
    };

// Identifiers are cut at 63 bytes, and may not be doubled.
const identifier = fc.oneof(
  fc.constantFrom('before', 'context', '__proto__', 'a.b', '"', 'É', '😀', 'select', 'x'.repeat(63)),
  text.filter((it) => it !== '' && Buffer.byteLength(it) <= 63),
);
const label = text.filter((it) => Buffer.byteLength(it) <= 63);

/** Trees of types, up to four deep. */
export function typeTrees(builtIn: readonly string[], subtypes: readonly string[]): fc.Arbitrary<TypeTree> {
  const { tree } = fc.letrec<{ tree: TypeTree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'medium' },
      fc.constantFrom(...builtIn).map((name) => ({ kind: 'builtIn' as const, name })),
      fc.constantFrom('hstore', 'citext').map((name) => ({ kind: 'extension' as const, name })),
      fc
        .uniqueArray(label, { minLength: 1, maxLength: 5 })
        .map((labels) => ({ kind: 'enum' as const, labels })),
      fc.constantFrom(...subtypes).map((subtype) => ({ kind: 'range' as const, subtype })),
      tie('tree').map((of) => ({ kind: 'domain' as const, of })),
      // An array of arrays is an array of more dimensions; a domain between them makes it one of arrays.
      tie('tree').map((of) => ({
        kind: 'array' as const,
        of: of.kind === 'array' ? { kind: 'domain' as const, of } : of,
      })),
      fc
        .uniqueArray(fc.record({ name: identifier, type: tie('tree') }), {
          maxLength: 4,
          selector: (field) => field.name,
        })
        .map((fields) => ({ kind: 'composite' as const, fields })),
    ),
  }));
  return tree;
}

/**
 * Names a tree's types and says how to make them.
 *
 * @param quote - of an identifier and of a literal.
 * @param builtInValues - by the names in the tree, those of ranges' subtypes among them.
 */
export function generatedType(
  tree: TypeTree,
  builtInValues: Readonly<Record<string, fc.Arbitrary<string>>>,
  nextName: () => string,
  quote: { identifier(name: string): string; literal(value: string): string },
): GeneratedType {
  const made = (of: TypeTree) => generatedType(of, builtInValues, nextName, quote);
  switch (tree.kind) {
    case 'builtIn':
      return {
        ...{ name: tree.name, statements: [] },
        ...{ values: builtInValues[tree.name]!, delimiter: tree.name === 'box' ? ';' : ',' },
      };
    case 'extension':
      return {
        ...{ name: tree.name, statements: [], delimiter: ',' },
        values: tree.name === 'hstore' ? hstore : text,
      };
    case 'enum': {
      const name = nextName();
      const labels = tree.labels.map((it) => quote.literal(it)).join(', ');
      return {
        ...{ name, statements: [`CREATE TYPE ${name} AS ENUM (${labels})`], delimiter: ',' },
        values: fc.constantFrom(...tree.labels),
      };
    }
    case 'range': {
      const name = nextName();
      // Bounds in an order that the server finds right: one bound, or the same one twice.
      const values = builtInValues[tree.subtype]!.chain((value) => {
        const bound = `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
        return fc.constantFrom(`[${bound},${bound}]`, `(${bound},)`, `(,${bound}]`, '(,)', 'empty');
      });
      const statements = [`CREATE TYPE ${name} AS RANGE (subtype = ${tree.subtype})`];
      return { name, statements, values, delimiter: ',' };
    }
    case 'domain': {
      const of = made(tree.of);
      const name = nextName();
      return {
        ...of,
        name,
        statements: [...of.statements, `CREATE DOMAIN ${name} AS ${of.name}`],
      };
    }
    case 'array': {
      const of = made(tree.of);
      return {
        ...{ name: `${of.name}[]`, statements: of.statements },
        // An array has that of its elements, and hands it on.
        delimiter: of.delimiter,
        values: arraysOf(of.values, of.delimiter),
      };
    }
    case 'composite': {
      const fields = tree.fields.map((field) => ({ name: field.name, type: made(field.type) }));
      const name = nextName();
      const columns = fields.map((field) => `${quote.identifier(field.name)} ${field.type.name}`).join(', ');
      return {
        ...{ name, delimiter: ',' },
        statements: [
          ...fields.flatMap((field) => field.type.statements),
          `CREATE TYPE ${name} AS (${columns})`,
        ],
        values: fc
          .tuple(...fields.map((field) => fc.option(field.type.values, { freq: 4 })))
          .map(compositeLiteral),
      };
    }
  }
}

/** Arrays of one to three dimensions, with NULLs and bounds of their own. */
export function arraysOf(values: fc.Arbitrary<string>, delimiter: string): fc.Arbitrary<string> {
  const element = fc.option(values, { freq: 4 });
  const shaped = (depth: number, length: number): fc.Arbitrary<ArrayElements> =>
    fc.array<ArrayElements[number]>(depth === 1 ? element : shaped(depth - 1, length), {
      minLength: length,
      maxLength: length,
    });
  const filled = fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: -2, max: 2 }))
    .chain(([depth, length, lowerBound]) =>
      shaped(depth, length).map((elements) => arrayLiteral(elements, delimiter, lowerBound)),
    );
  return fc.oneof({ arbitrary: fc.constant('{}'), weight: 1 }, { arbitrary: filled, weight: 9 });
}

/** https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX */
function compositeLiteral(fields: readonly (string | null)[]): string {
  return `(${fields.map((field) => (field === null ? '' : `"${field.replaceAll(/["\\]/g, '$&$&')}"`)).join(',')})`;
}

const hstoreText = text.map((it) => `"${it.replaceAll(/["\\]/g, '\\$&')}"`);
const hstore = fc
  .array(fc.tuple(hstoreText, fc.option(hstoreText, { nil: 'NULL', freq: 4 })), { maxLength: 4 })
  .map((pairs) => pairs.map((pair) => pair.join('=>')).join(', '));
