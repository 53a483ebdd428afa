import { expect, test } from 'vitest';
import { type ApiDocument, type ApiSchema, routesByTag, schemaText } from './api-document.ts';
import { curlCommand, exampleAddress } from './api-example.ts';

const document: ApiDocument = {
  info: { title: 'Bemi', version: '1' },
  paths: {
    '/api/v1/logs/{log}/record': {
      get: {
        tags: ['Records'],
        'x-permission': 'changes:read',
        parameters: [
          { name: 'log', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'table', in: 'query', required: true, schema: { example: 'public.Patient' } },
          { name: 'limit', in: 'query', schema: { default: 50 } },
        ],
      },
    },
    '/api/v1/keys/{id}': {
      put: {
        tags: ['Keys'],
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Key' } } } },
      },
    },
  },
  components: {
    schemas: {
      Key: {
        type: 'object',
        required: ['name', 'role', 'tables'],
        properties: {
          name: { type: 'string', example: "Ada's" },
          role: { enum: ['viewer', 'admin'] },
          tables: { type: ['array', 'null'], items: { type: 'string' } },
          note: { type: 'string' },
        },
      },
    },
  },
};

test('commands that ask a route', () => {
  const [[record], [key]] = [...routesByTag(document).values()] as never as [[never], [never]];
  expect(exampleAddress(record, 'a b')).toBe('/api/v1/logs/a%20b/record?table=public.Patient');
  expect(exampleAddress(record, undefined)).toBeUndefined();
  expect(curlCommand(document, record, 'http://localhost', 'clinic')).toBe(
    `curl 'http://localhost/api/v1/logs/clinic/record?table=public.Patient' \\\n  -H "Authorization: Bearer $KEY"`,
  );
  expect(curlCommand(document, key, 'http://localhost', 'clinic')).toBe(
    [
      `curl -X PUT 'http://localhost/api/v1/keys/{id}' \\`,
      `  -H "Authorization: Bearer $KEY" \\`,
      `  -H 'Content-Type: application/json' \\`,
      `  -d '{"name":"Ada'\\''s","role":"viewer","tables":["…"]}'`,
    ].join('\n'),
  );
});

test('what a value may be, in words', () => {
  const texts: [ApiSchema, string][] = [
    [{ type: ['string', 'null'] }, 'text or null'],
    [{ type: 'array', items: { $ref: '#/components/schemas/Change' } }, 'list of Change'],
    [{ type: ['string', 'null'], enum: ['a', 'b', null] }, '"a", "b" or null'],
    [{ anyOf: [{ type: 'object' }, { type: 'string' }, { type: 'null' }] }, 'object, text or null'],
    [{}, 'any JSON'],
  ];
  for (const [schema, text] of texts) expect(schemaText(schema)).toBe(text);
});
