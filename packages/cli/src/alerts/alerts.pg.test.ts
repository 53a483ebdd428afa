import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDatabase } from '@bemi-db/test-kit/database';
import { alertRules } from '@bemi-db/worker/health/alerts/alert-rules';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

async function webhook(status: number): Promise<{ readonly url: string; readonly count: () => number }> {
  let count = 0;
  const server = createServer((request, response) => {
    count++;
    request.resume().on('end', () => response.writeHead(status).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token-1`, count: () => count };
}

test('list says of each alert when it fires and what to do, with the limits that are set', async () => {
  const { stdout } = await runBemi(['alerts', 'list'], { BEMI_HEALTHY_LAG_BYTES: '5242880' });
  for (const { id, fix } of alertRules) {
    expect(stdout).toContain(id);
    expect(stdout).toContain(fix);
  }
  expect(stdout).toContain('5.0 MB of WAL or more are not recorded yet (BEMI_HEALTHY_LAG_BYTES), for 5 min');
  expect(stdout).toContain('Sent nowhere: set BEMI_ALERT_WEBHOOK_URL');
  const { rules } = JSON.parse((await runBemi(['alerts', 'list', '--json'], {})).stdout);
  for (const rule of rules) expect(rule.when, rule.id).not.toBe('');
});

test('test sends to each channel, and says how that went', async () => {
  const [good, bad] = [await webhook(200), await webhook(403)];
  const run = await runBemi(['alerts', 'test'], {
    BEMI_ALERT_WEBHOOK_URL: good.url,
    BEMI_ALERT_SLACK_URL: bad.url,
  });
  expect(run.stdout).toContain('✓ webhook: taken');
  expect(run.stdout).toContain('✗ Slack: the answer was 403');
  expect(run.code).toBe(1);
  expect([good.count(), bad.count()]).toEqual([1, 1]);
  expect(run.stdout + run.stderr).not.toContain('token-1');
});

test.each([
  [{}, 'Alerts are sent nowhere'],
  [{ BEMI_ALERT_EMAIL: 'a@example.com' }, 'no mail server is named'],
  [{ BEMI_SMTP_URL: 'smtp://u:secret@127.0.0.1:1' }, 'nobody to write to'],
  [
    { BEMI_SMTP_URL: 'mail.example.com:secret' },
    'BEMI_SMTP_URL is not a URL of the form smtp://… or smtps://…',
  ],
])('%j', async (environment, message) => {
  const { code, stderr } = await runBemi(['alerts', 'test'], environment);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('secret');
  expect(code).toBe(2);
});

test('a worker answers Prometheus, and tells of what keeps it from recording before it ends', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const { url, count } = await webhook(200);
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: `slot_${source.name}`,
    BEMI_ALERT_WEBHOOK_URL: url,
    BEMI_PORT: '0',
  };
  const folder = projectFolder();
  const worker = startBemi(['worker'], environment, folder);
  const log = await worker.untilPrinted('"msg":"Recording"');
  const port = /"port":(\d+),"msg":"Answering/.exec(log)?.[1];
  const metrics = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await expect.poll(metrics, { timeout: 30_000 }).toMatch(/^bemi_recording\{log="[^"]+"\} 1$/m);
  const watching = startBemi(['status', '--watch', '--json'], environment, folder);
  const lines = await watching.untilPrinted('}\n{');
  expect(JSON.parse(lines.split('\n')[0]!)).toMatchObject({
    at: expect.any(String),
    source: { slot: { isActive: true } },
  });
  watching.child.kill('SIGTERM');
  expect((await watching.finished).code).toBe(0);
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(0);

  const sql = await source.connect();
  await sql.query('SELECT pg_drop_replication_slot($1)', [environment.BEMI_REPLICATION_SLOT]);
  const refusing = await runBemi(['worker'], environment, folder);
  expect(refusing.stderr).toContain('slot');
  expect(refusing.code).toBe(1);
  expect(count()).toBe(2); // refused, and slot-lost
});
