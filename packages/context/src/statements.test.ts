import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { statementTable } from '../test/statements.ts';

const file = new URL('../../../docs/context.md', import.meta.url);
const TABLE = /(?<=<!-- statements -->\n\n)[\s\S]*?(?=\n<!-- \/statements -->)/;

it('the table in docs/context.md is the one that is tested (to write it, set UPDATE_DOCS=1)', () => {
  const text = readFileSync(file, 'utf8');
  if (process.env['UPDATE_DOCS'] === '1')
    writeFileSync(
      file,
      text.replace(TABLE, () => statementTable()),
    );
  expect(TABLE.exec(readFileSync(file, 'utf8'))?.[0]).toBe(statementTable());
});
