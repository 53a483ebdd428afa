import { spawnSync } from 'node:child_process';
import pg from 'pg';

/**
 * Runs a script as a person types it: statement by statement, each a transaction of its own. With psql where it is
 * installed, else with a driver.
 *
 * @throws Error with the server's message at the first statement that fails.
 */
export async function typeSql(url: string, script: string): Promise<void> {
  if (spawnSync('psql', ['--version']).status === 0) {
    const run = spawnSync('psql', ['-X', '-v', 'ON_ERROR_STOP=1', url], { input: script, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    return;
  }
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const statement of splitStatements(script)) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Splits at semicolons, except those between dollar quotes or in a line's comment. */
function splitStatements(script: string): string[] {
  const withoutComments = script.replace(/^--.*$/gm, '');
  const statements: string[] = [];
  let current = '';
  withoutComments.split('$$').forEach((part, index) => {
    if (index > 0) current += '$$';
    if (index % 2 === 1) {
      current += part;
      return;
    }
    const pieces = part.split(';');
    for (const piece of pieces.slice(0, -1)) {
      statements.push(current + piece);
      current = '';
    }
    current += pieces.at(-1);
  });
  return [...statements, current]
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
