import pg from 'pg';
import { CliError } from '../cli-error.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { withoutOthersSettings } from './demo-session.ts';
import { resultText, type TextResult } from './result-text.ts';
import { expectDemo, noDemo } from './running-demo.ts';

const connectTimeoutMs = 5_000;
/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): what the server does not say. */
const hintsByState: Readonly<Record<string, string>> = {
  '42P01': 'Names with capitals need double quotes, escaped from the shell: "select * from \\"Patient\\""',
  '42703': 'Names with capitals need double quotes, escaped from the shell: "select \\"lastName\\" …"',
  '42501': 'It runs as an ordinary role, which may read and change rows and nothing else.',
};

/**
 * `bemi demo sql`: runs a statement in the running demo's source database, past the application.
 *
 * @throws CliError when no demo runs, or the server refuses the statement.
 */
export async function runSql(statement: string): Promise<void> {
  const demo = await expectDemo();
  withoutOthersSettings();
  const client = new pg.Client({
    connectionString: demo.directUrl,
    application_name: 'bemi demo sql',
    connectionTimeoutMillis: connectTimeoutMs,
    // Every value as the server writes it.
    types: { getTypeParser: () => (text: string) => text },
  });
  try {
    await client.connect();
  } catch (cause) {
    throw noDemo(cause);
  }
  try {
    // Several statements give several results.
    const results: TextResult | TextResult[] = await client.query({ text: statement, rowMode: 'array' });
    const style = textStyle(process.stdout);
    for (const result of [results].flat()) await print(resultText(result, style));
  } catch (error) {
    throw error instanceof pg.DatabaseError ? refused(error) : error;
  } finally {
    await client.end();
  }
}

function refused(error: pg.DatabaseError): CliError {
  const hints = [error.hint, hintsByState[error.code ?? '']].filter((hint) => hint !== undefined);
  if (hints.length === 0) hints.push('Correct the statement and run it again.');
  return new CliError(1, `sqlstate-${error.code}`, error.message, hints.join('\n'), { cause: error });
}
