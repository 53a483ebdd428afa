import { type ApiDocument, type ApiRoute, type ApiSchema, contentOf, referredName } from './api-document.ts';

/**
 * An address that asks a route: with the log that the page is about, and the examples of what else it needs. `undefined`
 * where something is needed that has no example.
 */
export function exampleAddress({ path, operation }: ApiRoute, log: string | undefined): string | undefined {
  let address = path;
  const query = new URLSearchParams();
  for (const { name, in: place, required, schema } of operation.parameters ?? []) {
    if (required !== true) continue;
    const example = name === 'log' ? log : exampleText(schema);
    if (example === undefined) return undefined;
    if (place === 'path') address = address.replace(`{${name}}`, encodeURIComponent(example));
    if (place === 'query') query.append(name, example);
  }
  const text = query.toString();
  return text === '' ? address : `${address}?${text}`;
}

function exampleText(schema: ApiSchema | undefined): string | undefined {
  const value = schema?.example ?? schema?.default ?? schema?.enum?.[0];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' ? String(first) : undefined;
}

/** A command that asks a route with an API key. What has no example stays `{in braces}`. */
export function curlCommand(
  document: ApiDocument,
  route: ApiRoute,
  origin: string,
  log: string | undefined,
): string {
  const { method, path, operation } = route;
  const address = exampleAddress(route, log) ?? path;
  const body = contentOf(operation.requestBody?.content)?.schema;
  const answer = contentOf(operation.responses?.['200']?.content);
  const isStream = answer?.type === 'text/event-stream';
  return [
    `curl${isStream ? ' -N' : ''}${method === 'GET' ? '' : ` -X ${method}`} '${origin}${address.replaceAll("'", '%27')}'`,
    ...(operation['x-permission'] === 'public' ? [] : [`  -H "Authorization: Bearer $KEY"`]),
    ...(body
      ? [
          `  -H 'Content-Type: application/json'`,
          `  -d '${JSON.stringify(sample(document, body)).replaceAll("'", "'\\''")}'`,
        ]
      : []),
  ].join(' \\\n');
}

const deepest = 4;

/** A value of a schema: its example, or something of its type. Of an object, the members that it has to have. */
export function sample(document: ApiDocument, schema: ApiSchema, depth = 0): unknown {
  const name = referredName(schema);
  if (name !== undefined) {
    const referred = document.components?.schemas?.[name];
    return referred && depth < deepest ? sample(document, referred, depth + 1) : {};
  }
  const given = schema.example ?? schema.default ?? schema.enum?.[0];
  if (given !== undefined) return given;
  const [choice] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
  if (choice) return sample(document, choice, depth + 1);
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  switch (type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).flatMap((member) => {
          const of = schema.properties?.[member];
          return of && depth < deepest ? [[member, sample(document, of, depth + 1)]] : [];
        }),
      );
    case 'array':
      return schema.items ? [sample(document, schema.items, depth + 1)] : [];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'string':
      return '…';
    default:
      return null;
  }
}

/** JavaScript that follows a log, and goes on after a break where it was. */
export function eventSourceExample(address: string): string {
  return [
    `const events = new EventSource('${address}');`,
    `events.addEventListener('entry', ({ data, lastEventId }) => {`,
    '  const entry = JSON.parse(data);',
    '  console.log(lastEventId, entry.operation, entry.table, entry.primaryKey);',
    '});',
    '// The browser reconnects by itself, and tells the server by Last-Event-ID how far it has come.',
  ].join('\n');
}
