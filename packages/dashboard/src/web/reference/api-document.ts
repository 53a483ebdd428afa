/** What of an OpenAPI 3.1 document is shown: the parts that ours has. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, ApiSchema>> };
}

export interface ApiOperation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: { readonly content?: ApiContent };
  readonly responses?: Readonly<
    Record<string, { readonly description?: string; readonly content?: ApiContent }>
  >;
  readonly 'x-permission'?: string;
}

export interface ApiParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: ApiSchema;
}

type ApiContent = Readonly<Record<string, { readonly schema?: ApiSchema }>>;

export interface ApiSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: ApiSchema;
  readonly properties?: Readonly<Record<string, ApiSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly ApiSchema[];
  readonly oneOf?: readonly ApiSchema[];
  readonly allOf?: readonly ApiSchema[];
  readonly description?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** One route: a method of a path. */
export interface ApiRoute {
  /** Of its place on the page. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: ApiOperation;
}

/** Routes by what they are about, in the document's order. */
export function routesByTag(document: ApiDocument): ReadonlyMap<string, readonly ApiRoute[]> {
  const tags = new Map<string, ApiRoute[]>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const [tag = 'Others'] = operation.tags ?? [];
      const id = `${method}-${path.replaceAll(/[^a-zA-Z0-9]+/g, '-')}`;
      tags.set(tag, [...(tags.get(tag) ?? []), { id, method: method.toUpperCase(), path, operation }]);
    }
  }
  return tags;
}

/** `Change` of `#/components/schemas/Change`. */
export function referredName({ $ref }: ApiSchema): string | undefined {
  return $ref?.startsWith('#/components/schemas/') ? $ref.slice('#/components/schemas/'.length) : undefined;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
  null: 'null',
};

/** What a value may be, in words: `text or null`, `"INSERT" or "UPDATE"`, `Change[]`. */
export function schemaText(schema: ApiSchema): string {
  const name = referredName(schema);
  if (name !== undefined) return name;
  if (schema.enum) return either(schema.enum.map((value) => JSON.stringify(value)));
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices) return either(choices.map(schemaText));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.length === 0) return 'any JSON';
  return either(
    types.map((type) =>
      type === 'array'
        ? `list of ${schema.items ? schemaText(schema.items) : 'anything'}`
        : (typeNames[type] ?? type),
    ),
  );
}

function either(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  const last = distinct.at(-1);
  return distinct.length < 2 ? (last ?? '') : `${distinct.slice(0, -1).join(', ')} or ${last}`;
}

/** The content of a request or an answer: its type, and what it holds. */
export function contentOf(
  content: ApiContent | undefined,
): { readonly type: string; readonly schema: ApiSchema | undefined } | undefined {
  const [first] = Object.entries(content ?? {});
  return first && { type: first[0], schema: first[1].schema };
}
