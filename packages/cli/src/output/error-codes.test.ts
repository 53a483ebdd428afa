import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** Where errors are made that a person gets to see. */
const packages = ['cli', 'source', 'worker', 'replication'];

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

const name = `'([a-z]+(?:-[a-z]+)*)'`;
const either = `(?:[\\w.?]+ (?:\\?|\\?\\?) )?${name}(?: : ${name})?`;
/** The forms in which the code of an error is written. */
const forms = [
  new RegExp(`\\bcode(?::| =) ${either}`, 'g'),
  new RegExp(`\\bcode: [\\w.?]+ \\?\\? [\\w.?]+ \\?\\? ${name}`, 'g'),
  new RegExp(`new CliError\\(\\s*(?:\\d|[^,]*\\? 1 : 2),\\s*${either}`, 'g'),
  new RegExp(`new (?:RefusalError|PlanError)\\(\\s*${either}`, 'g'),
  new RegExp(`publicationError\\(\\s*${either}`, 'g'),
];
/** Lists of codes: of a type, and of the checks that keep the worker from recording. */
const lists = [/export type (?:Refusal|Publication)Code =([^;]*);/g, /const stoppingChecks = \[([^\]]*)\]/g];

/** @param isOfFindings - what it finds in a log has codes too, and is no error. */
function codesIn(text: string, isOfFindings: boolean): string[] {
  const single = (isOfFindings ? forms.slice(2) : forms).flatMap((form) =>
    [...text.matchAll(form)].flatMap(([, ...codes]) => codes),
  );
  const listed = lists.flatMap((list) =>
    [...text.matchAll(list)].flatMap(([, all = '']) =>
      [...all.matchAll(new RegExp(name, 'g'))].map(([, code]) => code),
    ),
  );
  return [...single, ...listed].filter((code) => code !== undefined);
}

/** What is written in one of the forms and is no error that is shown. */
const others = new Set([
  // How `bemi proof` says why an entry can't be proven: `proof-` goes before it.
  'finding',
]);

test('the manual of errors has each code of the program, and no other', () => {
  const codes = new Set(
    packages
      .flatMap((each) => sourceFiles(join(root, 'packages', each, 'src')))
      .flatMap((path) => codesIn(readFileSync(path, 'utf8'), path.includes('verification')))
      .filter((code) => !others.has(code)),
  );
  expect(codes.size).toBeGreaterThan(90);
  const manual = readFileSync(join(root, 'docs', 'errors.md'), 'utf8');
  const documented = [...manual.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  expect(
    documented.filter((code, i) => documented.indexOf(code) !== i),
    'twice',
  ).toEqual([]);
  expect([...codes].filter((code) => !documented.includes(code)).sort(), 'missing').toEqual([]);
  expect(documented.filter((code) => !codes.has(code!)).sort(), 'invented').toEqual([]);
});

test('it is found by the headings of the guide', () => {
  const manual = readFileSync(join(root, 'docs', 'errors.md'), 'utf8');
  for (const heading of [
    '### Issue 1: "replication slot does not exist"',
    '### Issue 2: "permission denied for replication"',
    '### Issue 3: "publication does not exist"',
    '### Issue 4: High replication lag',
    '### Issue 5: WAL disk space full',
  ]) {
    expect(manual).toContain(`\n${heading}\n`);
  }
});
