import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogResource } from '@bemi-db/trail/tree/log-resource';
import { listen } from './listen.ts';
import type { WorkerStatus } from './worker-status.ts';

/** A worker of this process, and its log. */
export interface ServedWorker {
  /** Of the source, and of the log. */
  readonly name: string;
  readonly status: () => WorkerStatus;
  /** Its log is at `/checkpoint` and `/tile` too, whatever others come. Default: only while it is the only one. */
  readonly isFirst?: boolean;
  /** What anybody may read of the log (`Worker.readLog`). Default: nothing. */
  readonly readLog?: (path: string) => Promise<LogResource | undefined>;
}

export interface HealthServerOptions {
  /** Looked at with each request. */
  readonly workers: readonly ServedWorker[];
  /** Logs without a source, which no worker is ready or not to record. */
  readonly otherLogs?: readonly Required<Pick<ServedWorker, 'name' | 'readLog'>>[];
  /** What `/metrics` answers. Default: nothing is there. */
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Answers what is at other paths, such as a dashboard's pages. Default: nothing is there. */
  readonly elsewhere?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Default 127.0.0.1: nobody outside this machine. */
  readonly host?: string;
  /** Default 4000; 0 for any free port. */
  readonly port?: number;
}

export interface HealthServer {
  readonly host: string;
  readonly port: number;
  /** Ends open connections too: a probe must not keep the process alive. */
  close(): Promise<void>;
}

/**
 * Answers an orchestrator's probes and Prometheus, and serves the log's checkpoint and tiles as C2SP tlog-tiles has
 * them. `/healthz` is 200 while the process lives; `/readyz` is 200 while the worker records, else 503 with the
 * problem's code, message and fix.
 *
 * @throws ProblemError of kind `configuration` when the address can't be listened on.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { host = '127.0.0.1', port = 4000 } = options;
  const server = createServer((request, response) => answer(request, response, options));
  await listen(server, host, port);
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { workers, otherLogs = [], metrics, elsewhere }: HealthServerOptions,
): void {
  const path = request.url?.split('?', 1)[0] ?? '';
  const log = logAt(path, workers, otherLogs);
  const ready = readyAt(path, workers);
  const isOfMetrics = metrics !== undefined && path === '/metrics';
  const isOurs = path === '/healthz' || ready !== undefined || log !== undefined || isOfMetrics;
  if (!isOurs && elsewhere) {
    elsewhere(request, response);
  } else if (!isOurs) {
    const message =
      workers.length === 1
        ? 'Only /healthz, /readyz, /metrics, /checkpoint and /tile/… are here'
        : 'Only /healthz, /readyz, /readyz/<source>, /metrics, /logs/<source>/checkpoint and /logs/<source>/tile/… are here';
    send(response, 404, { message });
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(response, 405, { message: 'Only GET and HEAD' });
  } else if (log) {
    void serveLog(response, log.path, log.readLog);
  } else if (isOfMetrics) {
    void serveMetrics(response, metrics);
  } else if (ready) {
    send(response, ready.statusCode, ready.body);
  } else {
    send(response, 200, { status: 'alive' });
  }
}

/** What is read of which log. */
function logAt(
  path: string,
  workers: readonly ServedWorker[],
  otherLogs: readonly Pick<ServedWorker, 'name' | 'readLog'>[],
): { readonly path: string; readonly readLog: NonNullable<ServedWorker['readLog']> } | undefined {
  const match = /^(?:\/logs\/([^/]+))?\/(checkpoint|tile\/.*)$/.exec(path);
  if (!match) return undefined;
  const [, name, resource = ''] = match;
  const first = workers.find(({ isFirst }) => isFirst) ?? (workers.length === 1 ? workers[0] : undefined);
  const readLog = name === undefined ? first?.readLog : named(name, [...workers, ...otherLogs])?.readLog;
  return readLog ? { path: resource, readLog } : undefined;
}

/** Of several workers all must record, and each is told of. */
function readyAt(
  path: string,
  workers: readonly ServedWorker[],
): { readonly statusCode: number; readonly body: object } | undefined {
  // Ready to be told of a source, where its pages are served.
  if (path === '/readyz' && workers.length === 0)
    return { statusCode: 200, body: { state: 'no-source', message: 'There is no source to record yet' } };
  const one = path.startsWith('/readyz/') ? named(path.slice('/readyz/'.length), workers) : undefined;
  const asked = one ? [one] : path === '/readyz' ? workers : [];
  if (asked.length === 0) return undefined;
  const states = asked.map(({ name, status }) => ({ name, ...stateOf(status()) }));
  const statusCode = states.every(({ state }) => state === 'recording') ? 200 : 503;
  const [{ name: _, ...only }] = states as [(typeof states)[number]];
  if (states.length === 1) return { statusCode, body: only };
  const sources = Object.fromEntries(states.map(({ name, ...state }) => [name, state]));
  return { statusCode, body: { state: statusCode === 200 ? 'recording' : 'waiting', sources } };
}

function stateOf({ state, problem }: WorkerStatus): { readonly state: string } & Record<string, unknown> {
  if (state === 'recording') return { state };
  return { state, code: problem?.code, message: problem?.message, fix: problem?.fix };
}

function named<Named extends Pick<ServedWorker, 'name'>>(
  encoded: string,
  workers: readonly Named[],
): Named | undefined {
  try {
    const name = decodeURIComponent(encoded);
    return workers.find((worker) => worker.name === name);
  } catch {
    return undefined; // no UTF-8
  }
}

async function serveMetrics(
  response: ServerResponse,
  metrics: NonNullable<HealthServerOptions['metrics']>,
): Promise<void> {
  try {
    const { contentType, text } = await metrics();
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
    response.end(text);
  } catch {
    send(response, 500, { message: 'The metrics could not be collected' });
  }
}

const immutableSeconds = 365 * 24 * 60 * 60;

async function serveLog(
  response: ServerResponse,
  path: string,
  readLog: (path: string) => Promise<LogResource | undefined>,
): Promise<void> {
  try {
    const resource = await readLog(path);
    if (!resource) {
      send(response, 404, { message: 'The log has no such checkpoint, tile or bundle (yet)' });
      return;
    }
    const { contentType, body, isImmutable } = resource;
    response.writeHead(200, {
      'content-type': contentType,
      'content-length': body.length,
      'cache-control': isImmutable ? `public, max-age=${immutableSeconds}, immutable` : 'no-cache',
    });
    response.end(body);
  } catch {
    // Why is in the worker's own log and in /readyz: it has lost its connection.
    send(response, 503, { message: 'The audit database can not be read now' });
  }
}

function send(response: ServerResponse, statusCode: number, body: object): void {
  response.writeHead(statusCode, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`); // Node leaves the body out of an answer to HEAD
}
