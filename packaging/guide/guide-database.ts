import { once } from 'node:events';
import { connect } from 'node:net';
import { type PostgresServer, startPostgres } from '@bemi-db/embedded-postgres';
import pg from 'pg';
import { run } from '../command.ts';
import { guideText } from './web-application.ts';

/** The guide's database, prepared by the guide's SQL, and a worker that records it. */
export interface GuideDatabase {
  /** What the application's environment must have besides the guide's `.env`: nothing, where the port is free. */
  readonly environment: Readonly<Record<string, string>>;
  /** Records all changes, and gives those of a patient as `bemi log` shows them, oldest first. */
  log(patientId: string): Promise<readonly LoggedChange[]>;
  stop(): Promise<void>;
}

export interface LoggedChange {
  readonly operation: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly context: Readonly<Record<string, unknown>> | null;
}

const guidePort = 5432;

/** @param cli - a folder where `@bemi-db/cli` is installed. */
export async function startGuideDatabase(cli: string): Promise<GuideDatabase> {
  const port = (await isFree(guidePort)) ? guidePort : undefined;
  const server = await startPostgres({
    disposable: true,
    settings: { wal_level: 'logical' },
    ...(port === undefined ? {} : { port }),
  });
  await prepare(server);
  const url = guideText('env')
    .match(/DATABASE_URL="(.*)"/)![1]!
    .replace(':5432/', `:${server.port}/`);
  const worker = {
    BEMI_DATABASE_URL: `postgres://bemi_replication:secure_random_password_here@localhost:${server.port}/holi_protocol?replication=database`,
    BEMI_DESTINATION_URL: server.url('bemi_audit'),
    BEMI_REPLICATION_SLOT: 'bemi_slot',
    BEMI_PUBLICATION: 'bemi_publication',
    BEMI_PORT: '0',
  };
  const bemi = (...args: string[]) => run(`${cli}/node_modules/.bin/bemi`, args, { cwd: cli, env: worker });
  return {
    environment: port === undefined ? { DATABASE_URL: url } : {},
    async log(patientId) {
      await bemi('worker', '--drain');
      const log = ['log', '--table', 'Patient', '--primary-key', patientId, '--json', '--changed-only'];
      const lines = (await bemi(...log)).stdout.trim().split('\n');
      return lines.map((line) => JSON.parse(line) as LoggedChange).reverse();
    },
    stop: () => server.stop('immediate'),
  };
}

async function isFree(port: number): Promise<boolean> {
  const socket = connect({ port, host: 'localhost' });
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

/** The guide's role and database, the application's table, and the guide's steps 2 and 4. */
async function prepare(server: PostgresServer): Promise<void> {
  await inDatabase(server.url(), async (admin) => {
    await admin.query("CREATE ROLE holi LOGIN PASSWORD 'holi_dev_password'");
    await admin.query('CREATE DATABASE holi_protocol OWNER holi');
    await admin.query('CREATE DATABASE bemi_audit');
  });
  await inDatabase(server.url('holi_protocol'), async (admin) => {
    await admin.query('SET ROLE holi');
    await admin.query(guideText('tables.sql'));
    await admin.query('RESET ROLE');
    // One by one: a slot can't be made in a transaction that has written.
    for (const statement of sqlOf('replication.sql').split(';')) await admin.query(statement);
    await admin.query(sqlOf('replica-identity.sql'));
  });
}

/** The guide's SQL, without the lines by which it has psql started. */
function sqlOf(file: string): string {
  return guideText(file).replace(/^psql .*$/m, '');
}

async function inDatabase(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
