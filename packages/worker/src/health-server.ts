import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogResource } from '@bemi-db/trail/tree/log-resource';
import { ProblemError } from './problem.ts';
import type { WorkerStatus } from './worker-status.ts';

export interface HealthServerOptions {
  readonly status: () => WorkerStatus;
  /** What anybody may read of the log (`Worker.readLog`). Default: nothing. */
  readonly readLog?: (path: string) => Promise<LogResource | undefined>;
  /** What `/metrics` answers. Default: nothing is there. */
  readonly metrics?: () => Promise<{ readonly contentType: string; readonly text: string }>;
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
  { status, readLog, metrics }: HealthServerOptions,
): void {
  const path = request.url?.split('?', 1)[0] ?? '';
  const isOfLog = readLog !== undefined && /^\/(checkpoint$|tile\/)/.test(path);
  const isOfMetrics = metrics !== undefined && path === '/metrics';
  if (path !== '/healthz' && path !== '/readyz' && !isOfLog && !isOfMetrics) {
    send(response, 404, { message: 'Only /healthz, /readyz, /metrics, /checkpoint and /tile/… are here' });
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(response, 405, { message: 'Only GET and HEAD' });
  } else if (isOfLog) {
    void serveLog(response, path.slice(1), readLog);
  } else if (isOfMetrics) {
    void serveMetrics(response, metrics);
  } else if (path === '/healthz') {
    send(response, 200, { status: 'alive' });
  } else {
    const { state, problem } = status();
    if (state === 'recording') send(response, 200, { state });
    else send(response, 503, { state, code: problem?.code, message: problem?.message, fix: problem?.fix });
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

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenProblem(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  const problem = (code: string, message: string, fix: string) =>
    new ProblemError({ code, message, fix, kind: 'configuration' }, error);
  switch (error.code) {
    case 'EADDRINUSE':
      return problem(
        'port-in-use',
        `Port ${port} of ${host} is in use by another process`,
        'Set BEMI_PORT to a free port, or end what listens there.',
      );
    case 'EACCES':
      return problem(
        'port-forbidden',
        `This process may not listen on port ${port} of ${host}`,
        'Set BEMI_PORT to a port above 1023.',
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return problem(
        'host-unknown',
        `This machine has no address ${host} to listen on`,
        'Set BEMI_HOST to 127.0.0.1, to 0.0.0.0 for all addresses, or to one of this machine.',
      );
    default:
      return error;
  }
}
