import type { Socket } from 'node:net';
import type { ParsedConnection } from '@bemi-db/source/connection-string';
import pg from 'pg';
import {
  type BackendActivity,
  type BackendSighting,
  decideLiveness,
  type LivenessTimings,
  sightingOf,
} from './connection-liveness.ts';

/** A server's process for a connection; the time tells it from a later one with the same number. */
export interface Backend {
  readonly pid: number;
  readonly startedAt: string;
}

/** `startedAt`, whatever the session's settings: an expression over pg_stat_activity. */
export const startedAtSql = `to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`;

/**
 * Ends connections that are dead though nobody has closed them, as `connection-liveness.ts` says: the socket is
 * destroyed with ETIMEDOUT, so that whoever waits for an answer gets that error.
 *
 * An answer is overdue from when something was sent until the driver is idle again (`drain`). A replication stream is
 * never idle; it asks the server for an answer by itself. While the socket is paused, the silence is our own.
 */
export class ConnectionWatch {
  readonly #socket: Socket;
  readonly #target: ParsedConnection;
  readonly #timings: LivenessTimings;
  readonly #isStream: boolean;
  readonly #timer: NodeJS.Timeout;
  #backend: Backend | undefined;
  /** What had been sent when the driver was last idle: nothing that it waits for comes after. */
  #sentWhenIdle: number;
  #moved = -1;
  #movedAtMs = 0;
  #sighting: BackendSighting | undefined;
  #isAsking = false;

  /**
   * @param client - connected, and idle.
   * @param isStream - of a replication connection only what comes counts: what we send there are questions.
   */
  constructor(
    client: pg.Client,
    target: ParsedConnection,
    timings: LivenessTimings,
    { isStream }: { readonly isStream: boolean },
  ) {
    const socket = client.connection.stream as Socket;
    this.#socket = socket;
    this.#target = target;
    this.#timings = timings;
    this.#isStream = isStream;
    this.#sentWhenIdle = socket.bytesWritten;
    client.on('drain', () => {
      this.#sentWhenIdle = socket.bytesWritten;
    });
    this.#timer = setInterval(() => this.#look(), timings.askAfterMs / 3);
    this.#timer.unref();
  }

  /** Until it is known, the server can only be asked whether it is there. */
  know(backend: Backend): void {
    this.#backend = backend;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const socket = this.#socket;
    if (socket.destroyed) {
      this.stop();
      return;
    }
    const nowMs = performance.now();
    const sent = this.#isStream ? 0 : socket.bytesWritten - socket.writableLength;
    const moved = socket.bytesRead + sent;
    if (moved !== this.#moved || socket.isPaused() || socket.bytesWritten === this.#sentWhenIdle) {
      this.#moved = moved;
      this.#movedAtMs = nowMs;
      this.#sighting = undefined;
      return;
    }
    const decision = decideLiveness(nowMs - this.#movedAtMs, this.#sighting, this.#timings);
    if (decision === 'dead') {
      const error = Object.assign(new Error('The server has not answered'), { code: 'ETIMEDOUT' });
      socket.destroy(error);
    } else if (decision === 'ask' && !this.#isAsking) void this.#ask(moved);
  }

  async #ask(moved: number): Promise<void> {
    this.#isAsking = true;
    const sighting = await lookAtBackend(this.#target, this.#backend, this.#timings.askAfterMs);
    this.#isAsking = false;
    if (moved === this.#moved) this.#sighting = sighting;
  }
}

/** Asks a server, on a connection of its own, what it is doing for another one. Never throws. */
async function lookAtBackend(
  target: ParsedConnection,
  backend: Backend | undefined,
  timeoutMs: number,
): Promise<BackendSighting> {
  const client = new pg.Client({ ...target.config, application_name: 'bemi worker: liveness' });
  client.on('error', () => undefined); // the query gets it too
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<BackendSighting>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'unreachable');
  });
  const ask = async (): Promise<BackendSighting> => {
    try {
      await client.connect();
      if (!backend) return 'idle'; // setting up a connection takes a server that answers no time
      const { rows } = await client.query<BackendActivity>(
        `SELECT state, wait_event_type AS "waitEventType", wait_event AS "waitEvent" FROM pg_stat_activity
          WHERE pid = $1 AND ${startedAtSql} = $2`,
        [backend.pid, backend.startedAt],
      );
      return sightingOf(rows[0]);
    } catch (error) {
      return error instanceof pg.DatabaseError ? 'unknown' : 'unreachable';
    }
  };
  try {
    return await Promise.race([ask(), timeout]);
  } finally {
    clearTimeout(timer);
    client.connection.stream.destroy();
  }
}
