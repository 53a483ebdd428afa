import { expect, test } from 'vitest';
import { parseLocatedDocument } from './located-document.ts';

const yaml = `# sources
sources:
  - name: clinic
    rules:
      exclude: [audit_*, "a.b"]
      redact:
        people.ssn: hash
`;

test.each<[readonly (string | number)[], string]>([
  [[], '2:1'],
  [['sources'], '2:1'],
  [['sources', 0], '3:5'],
  [['sources', 0, 'rules', 'exclude', 1], '5:26'],
  [['sources', 0, 'rules', 'redact', 'people.ssn'], '7:9'],
  [['sources', 0, 'missing', 'more'], '3:5'],
])('%j is at %s', (path, place) => {
  expect(parseLocatedDocument(yaml, 'f.yaml').place(path)).toBe(`f.yaml:${place}`);
});

test('JSON is read alike', () => {
  const document = parseLocatedDocument('{\n  "sources": [{"name": "a"}]\n}', 'f.json');
  expect(document.value).toEqual({ sources: [{ name: 'a' }] });
  expect(document.place(['sources', 0, 'name'])).toBe('f.json:2:16');
});

test.each([
  ['a: [1', 'f.yaml:1:6'],
  ['a: 1\na: 2', 'f.yaml:2:1: Map keys must be unique'],
  ['a: *nowhere', 'f.yaml'],
])('%j is refused', (text, message) => {
  expect(() => parseLocatedDocument(text, 'f.yaml')).toThrow(message);
});
