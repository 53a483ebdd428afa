import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { isConnectionError } from './workload-error.ts';

export interface WorkloadServer {
  /** `server_version_num`. */
  readonly version: number;
  /** Whether `max_prepared_transactions` allows any. */
  readonly canPrepare: boolean;
}

/** A client that connects again after its server was away. */
export interface WorkloadSession {
  /** Of the server that was connected to last: what it can do. */
  readonly server: WorkloadServer;
  /**
   * The connected client; connects first where there is none.
   *
   * @throws Error when the signal comes before the server does.
   */
  client(): Promise<pg.Client>;
  /** Takes note that the connection failed, or ends it in the middle of what it does. */
  drop(): Promise<void>;
  readonly connects: number;
}

const settings = [
  'lock_timeout = 400',
  'statement_timeout = 20000',
  `deadlock_timeout = '30ms'`,
  `TimeZone = 'Asia/Kathmandu'`,
  `DateStyle = 'SQL, DMY'`,
  'client_min_messages = error',
];

const retryMs = 100;
/** A connection that is half open never says goodbye. */
const farewellMs = 2_000;

export function workloadSession(url: string, signal: AbortSignal): WorkloadSession {
  let current: pg.Client | undefined;
  let connects = 0;
  let server: WorkloadServer = { version: 0, canPrepare: false };
  const drop = async (): Promise<void> => {
    const client = current;
    current = undefined;
    if (client)
      await Promise.race([client.end().catch(() => undefined), delay(farewellMs, undefined, { ref: false })]);
  };
  return {
    get server() {
      return server;
    },
    get connects() {
      return connects;
    },
    drop,
    async client() {
      while (!current) {
        signal.throwIfAborted();
        const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
        // A connection that breaks while nothing is asked of it; the next query says so.
        client.on('error', () => undefined);
        try {
          await client.connect();
          await client.query(settings.map((setting) => `SET ${setting}`).join('; '));
          const { rows } = await client.query<WorkloadServer>(
            `SELECT current_setting('server_version_num')::integer AS version,
                    current_setting('max_prepared_transactions')::integer > 0 AS "canPrepare"`,
          );
          server = rows[0]!;
          current = client;
          connects++;
        } catch (error) {
          await client.end().catch(() => undefined);
          if (!isConnectionError(error)) throw error;
          await delay(retryMs, undefined, { signal });
        }
      }
      return current;
    },
  };
}
