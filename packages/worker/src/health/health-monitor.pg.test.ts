import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { startOwnServer } from '@bemi-db/test-kit/own-server';
import { newStateDirectory } from '@bemi-db/test-kit/state-directory';
import pg from 'pg';
import { SMTPServer } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { createWorker, type Worker, type WorkerOptions } from '../create-worker.ts';
import { type AlertRule, alertRules } from './alerts/alert-rules.ts';
import type { Alert } from './alerts/alert-state.ts';
import { mailChannel, slackChannel, webhookChannel } from './alerts/channels.ts';
import type { AlertMessage } from './alerts/delivery.ts';
import { HealthMonitor, type HealthMonitorOptions } from './health-monitor.ts';
import { metricsRegistry } from './metrics.ts';

const patience = { timeout: 60_000, interval: 50 };
/** As they are, but for how long a person is spared. */
const promptRules: readonly AlertRule[] = alertRules.map((rule) => ({
  ...rule,
  fireAfterMs: 0,
  clearAfterMs: 0,
}));

interface Inbox {
  readonly url: string;
  readonly bodies: unknown[];
  /** What it answers. */
  status: number;
}

async function openInbox(): Promise<Inbox> {
  const inbox = { url: '', bodies: [] as unknown[], status: 200 };
  const server = createServer(async (request: IncomingMessage, response) => {
    inbox.bodies.push(JSON.parse(await text(request)));
    response.writeHead(inbox.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  inbox.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`;
  return inbox;
}

async function openMailServer(): Promise<{ readonly url: string; readonly mails: string[] }> {
  const mails: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, callback) {
      text(stream).then((mail) => {
        mails.push(mail);
        callback();
      }, callback);
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, mails };
}

/** @param isAlone - on a source server of its own: nobody else writes WAL there. */
async function setScene({ isAlone = false } = {}) {
  const [source, audit] = [isAlone ? await ownDatabase() : await createDatabase(), await createDatabase()];
  const sql = await source.connect();
  await sql.query('CREATE TABLE t (id integer PRIMARY KEY, v text)');
  const targets: WorkerOptions = {
    source: source.url,
    destination: audit.url,
    slot: `${source.name}_slot`,
    stateDirectory: newStateDirectory(),
  };
  let stop = new AbortController();
  let run: Promise<void> = Promise.resolve();
  const scene = {
    sql,
    audit: await audit.connect(),
    targets,
    worker: createWorker(targets),
    start() {
      stop = new AbortController();
      run = scene.worker.run({ signal: stop.signal });
      run.catch(() => undefined);
      return expect.poll(() => scene.worker.status().state, patience).toBe('recording');
    },
    async stop() {
      stop.abort();
      await run.catch(() => undefined);
    },
    /** One that looks when it is told to. */
    monitor(options: Partial<HealthMonitorOptions> = {}) {
      const ending = new AbortController();
      const monitor = new HealthMonitor({
        ...(targets as WorkerOptions & { stateDirectory: string; slot: string }),
        worker: scene.worker,
        rules: promptRules,
        intervalMs: 3_600_000,
        ...options,
      });
      const running = monitor.run({ signal: ending.signal });
      onTestFinished(async () => {
        ending.abort();
        await running;
      });
      return monitor;
    },
  };
  onTestFinished(() => scene.stop());
  return scene;
}

async function ownDatabase(): Promise<Pick<TestDatabase, 'name' | 'url' | 'connect'>> {
  const server = await startOwnServer();
  onTestFinished(() => server.stop('immediate'));
  const connect = async (url: string): Promise<pg.Client> => {
    const client = new pg.Client(url);
    client.on('error', () => undefined); // the server ends with the test
    await client.connect();
    return client;
  };
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = await connect(server.url());
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const url = server.url(name);
  return {
    name,
    url,
    async connect() {
      const client = await connect(url);
      onTestFinished(() => client.end());
      return client;
    },
  };
}

/** Values of the metrics, by name and labels. */
async function metrics(monitor: HealthMonitor): Promise<Map<string, number>> {
  const lines = (await metricsRegistry([monitor]).metrics()).split('\n');
  return new Map(
    lines
      .filter((line) => line.startsWith('bemi_'))
      .map((line) => [
        line.slice(0, line.lastIndexOf(' ')).replace(/log="[^"]*",?/, ''),
        Number(line.split(' ').at(-1)),
      ]),
  );
}

test('a worker that records is healthy, and the metrics say what it does', async () => {
  const { sql, worker, start, monitor } = await setScene({ isAlone: true });
  await start();
  await sql.query(`INSERT INTO t SELECT i, 'x' FROM generate_series(1, 50) i`);
  await expect.poll(() => worker.status().changes, patience).toBe(50);
  const watching = monitor();
  await expect
    .poll(async () => {
      await watching.look();
      return watching.health.source?.slot?.lagBytes;
    }, patience)
    .toBeLessThan(100 * 1024);
  const seen = await metrics(watching);
  expect(watching.health.alerts).toEqual([]);
  expect(seen.get('bemi_recording{}')).toBe(1);
  expect(seen.get('bemi_slot_active{}')).toBe(1);
  expect(seen.get('bemi_changes_total{}')).toBe(50);
  expect(seen.get('bemi_audit_transactions_total{}')).toBeGreaterThan(0);
  expect(seen.get('bemi_audit_seconds_total{}')).toBeGreaterThan(0);
  expect(seen.get('bemi_log_entries{}')).toBeGreaterThan(52);
  expect(seen.get('bemi_checkpoint_age_seconds{}')).toBeLessThan(3_600);
  expect(seen.get('bemi_audit_database_bytes{}')).toBeGreaterThan(1_000_000);
  expect(seen.get('bemi_worker_state{state="recording"}')).toBe(1);
  expect([...seen.keys()].some((key) => key.startsWith('bemi_alert_firing'))).toBe(false);
});

test('a stopped worker and a growing slot: alerts fire everywhere, once, are entries, and clear', async () => {
  const { sql, audit, targets, worker, start, stop, monitor } = await setScene({ isAlone: true });
  const [webhook, slack, mail] = [await openInbox(), await openInbox(), await openMailServer()];
  const channels = [
    webhookChannel(webhook.url),
    slackChannel(slack.url),
    mailChannel({ smtpUrl: mail.url, from: 'bemi@example.com', to: 'oncall@example.com, dpo@example.com' }),
  ];
  const options = { channels, limits: { healthyLagBytes: 200_000, retainedWalBytes: 1_000_000 } };
  await start();
  await sql.query('CHECKPOINT');
  const watching = monitor(options);
  await expect
    .poll(async () => {
      await sql.query(`SELECT pg_logical_emit_message(false, 'noise', 'x')`);
      await sql.query('CHECKPOINT'); // the slot lets go of its oldest WAL by what is logged here
      await watching.look();
      return watching.health.alerts;
    }, patience)
    .toEqual([]);

  await stop();
  await sql.query(`INSERT INTO t SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 5000) i`);
  await watching.look();
  const firing = (alerts: readonly Alert[]) => alerts.map(({ id }) => id);
  expect(firing(watching.health.alerts)).toEqual(['not-recording', 'lag', 'retained-wal']);
  expect((await metrics(watching)).get('bemi_alert_firing{alert="retained-wal",severity="critical"}')).toBe(
    1,
  );
  await watching.look();
  await expect
    .poll(() => [webhook.bodies.length, slack.bodies.length, mail.mails.length], patience)
    .toEqual([3, 3, 3]);
  const [, , retained] = webhook.bodies as AlertMessage[];
  expect(retained).toMatchObject({
    id: 'retained-wal',
    severity: 'critical',
    state: 'firing',
    log: watching.name,
  });
  expect(retained!.evidence).toMatch(/^the source keeps \d{7,} bytes of WAL for the slot/);
  expect(JSON.stringify(slack.bodies[2])).toContain('retained-wal (critical)');
  expect(mail.mails[2]).toMatch(/^To: oncall@example\.com, dpo@example\.com\r?$/m);

  // A process that comes after it neither tells again, nor forgets.
  const after = monitor(options);
  await after.look();
  expect(firing(after.health.alerts)).toEqual(['not-recording', 'lag', 'retained-wal']);

  await start();
  await expect
    .poll(async () => {
      await sql.query(`SELECT pg_logical_emit_message(false, 'noise', 'x')`);
      await sql.query('CHECKPOINT');
      await after.look();
      return firing(after.health.alerts);
    }, patience)
    .toEqual([]);
  await expect.poll(() => webhook.bodies.length, patience).toBe(6);
  const cleared = (webhook.bodies as AlertMessage[]).slice(3);
  expect(cleared.map(({ id, state }) => `${id} ${state}`).toSorted()).toEqual([
    'lag cleared',
    'not-recording cleared',
    'retained-wal cleared',
  ]);
  expect(worker.status().state).toBe('recording');
  const recorded = async () =>
    (
      await audit.query<{ said: string }>(
        `SELECT concat(payload->>'alert', ' ', payload->>'state') AS said FROM bemi.event_log
          WHERE kind = 'lifecycle' AND payload->>'event' = 'alert' ORDER BY sequence`,
      )
    ).rows.map(({ said }) => said);
  await expect.poll(async () => (await recorded()).length, patience).toBe(6);
  expect((await recorded()).toSorted()).toEqual(
    ['lag', 'not-recording', 'retained-wal'].flatMap((id) => [`${id} cleared`, `${id} firing`]),
  );
  expect(targets.slot).toBeDefined();
});

test('a slot that is gone, and a worker that refuses: told before the process ends', async () => {
  const { sql, targets, start, stop, monitor, worker } = await setScene();
  await start();
  await stop();
  await sql.query('SELECT pg_drop_replication_slot($1)', [targets.slot]);
  await expect(worker.run()).rejects.toMatchObject({ problem: { code: 'slot-missing' } });
  const webhook = await openInbox();
  webhook.status = 500;
  const watching = monitor({ channels: [webhookChannel(webhook.url)], rules: alertRules });
  await watching.look();
  expect(watching.health.alerts.map(({ id }) => id)).toEqual(['refused', 'slot-lost']);
  expect(watching.health.alerts[0]!.evidence).toContain('slot-missing');
  await expect.poll(() => webhook.bodies.length, patience).toBeGreaterThan(0);
  webhook.status = 200; // it is sent again
  await expect
    .poll(() => webhook.bodies.some((body) => (body as AlertMessage).id === 'slot-lost'), patience)
    .toBe(true);
});

test('stop, and coming back after a failure, are entries of the log', async () => {
  const { sql, audit, worker, start, stop } = await setScene();
  await start();
  await sql.query('INSERT INTO t VALUES (1)');
  await expect.poll(() => worker.status().changes, patience).toBe(1);
  await sql.query(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active`,
  );
  await expect.poll(() => worker.status().restarts, patience).toBe(1);
  await expect.poll(() => worker.status().state, patience).toBe('recording');
  await sql.query('INSERT INTO t VALUES (2)');
  await expect.poll(() => worker.status().changes, patience).toBe(2);
  await stop();
  const { rows } = await audit.query<{ payload: { event: string; after?: string } }>(
    `SELECT payload FROM bemi.event_log WHERE kind = 'lifecycle' ORDER BY sequence`,
  );
  expect(rows.map(({ payload }) => payload.event)).toEqual(['created', 'started', 'resumed', 'stopped']);
  expect(rows[2]!.payload).toMatchObject({ after: expect.any(String), since: expect.stringMatching(/Z$/) });
});

test('what can not be reached is not seen, and nothing throws', async () => {
  const worker = {
    status: () =>
      createWorker({
        source: 'postgres://x@127.0.0.1:1/app',
        destination: 'postgres://x@127.0.0.1:1/audit',
      }).status(),
    announce: () => undefined,
  } satisfies Pick<Worker, 'status' | 'announce'>;
  const monitor = new HealthMonitor({
    worker,
    source: 'postgres://x@127.0.0.1:1/app',
    destination: 'postgres://x@127.0.0.1:1/audit',
    stateDirectory: newStateDirectory(),
  });
  await monitor.look();
  expect(monitor.health).toMatchObject({ source: undefined, audit: undefined, alerts: [] });
  const seen = await metrics(monitor);
  expect(seen.get('bemi_recording{}')).toBe(0);
  expect(seen.has('bemi_lag_bytes{}')).toBe(false);
});
