import { expect, test } from 'vitest';
import { runBemi } from '../test/run-bemi.ts';

test('help of every command, with examples', async () => {
  const { code, stdout } = await runBemi(['--help']);
  expect(code).toBe(0);
  for (const command of [
    'setup',
    'start',
    'worker',
    'status',
    'log',
    'history',
    'verify',
    'proof',
    'migration:create',
    'doctor',
  ]) {
    expect(stdout).toContain(`  ${command} `);
    const help = await runBemi([command, '--help']);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('Examples:'), stderr: '' });
  }
});

test('its version', async () => {
  const { code, stdout } = await runBemi(['--version']);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test.each([
  [[], /Usage: bemi/],
  [['lgo'], /Unknown command 'lgo'.*Did you mean log\?/s],
  [['log', '--tabel', 'x'], /Unknown option '--tabel'.*Did you mean --table\?.*bemi log --help/s],
  [['history', 'Patient'], /Missing required argument 'key'/],
  [['log', '--since', 'yesterday'], /--since "yesterday" is not a moment/],
  [['log', '--operation', 'upsert'], /"upsert" is not an operation.*TRUNCATE/s],
  [['log', '--context', 'x'], /is not KEY=VALUE/],
  [['log', '--without-context', '--context', 'a=b'], /without context has no member/],
  [['log', '--limit', '0'], /is not a number of changes/],
  [['log'], /No audit database is configured.*BEMI_DESTINATION_URL=.*--embedded/s],
  [['worker'], /No source database is configured.*BEMI_DATABASE_URL=/s],
  [['worker', '--port', '70000'], /--port is "70000", which is not a whole number from 0 to 65535/],
  [['migration:create', '--no-context'], /leaves nothing to do.*--actor/s],
  [['migration:create', '--down'], /--down is for --print/],
  [['migration:create', '--name', '../x'], /is not the name of a file.*--dir/s],
  [['migration:create', '--tables', ','], /names no table/],
  [['doctor', '--entries', 'all'], /--entries "all" is not a whole number/],
  [['setup'], /No source database is named.*--admin-url/s],
  [['doctor'], /Neither a source nor an audit database is configured/],
  [['status'], /Neither a source nor an audit database is configured/],
])('wrong usage: bemi %s', async (args, message) => {
  const { code, stdout, stderr } = await runBemi(args);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('a worker without an audit database is told both ways out', async () => {
  const { code, stderr } = await runBemi(['worker'], { BEMI_DATABASE_URL: 'postgres://127.0.0.1:1/x' });
  expect(stderr).toMatch(/No audit database is configured.*BEMI_DESTINATION_URL.*--embedded/s);
  expect(code).toBe(2);
});

test('a typo in the name of a setting names the right one', async () => {
  const { code, stderr } = await runBemi(['worker'], { BEMI_DATABSE_URL: 'postgres://h/x' });
  expect(stderr).toContain('BEMI_DATABSE_URL (in the environment) is not a setting of Bemi');
  expect(stderr).toContain('Did you mean BEMI_DATABASE_URL?');
  expect(code).toBe(2);
});

test('errors for programs are one JSON object; passwords are in none', async () => {
  const { code, stderr } = await runBemi(['log', '--json'], {
    BEMI_DESTINATION_URL: 'mysql://bemi:hunter2@h/x',
    BEMI_LOG_LEVEL: 'debug',
  });
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: 'connection-string',
      message: expect.stringContaining('BEMI_DESTINATION_URL'),
      fix: expect.stringContaining('postgres://'),
    },
  });
  expect(stderr).not.toContain('hunter2');
  expect(code).toBe(2);
});
