/**
 * A socket as a driver uses it, with something between the driver and the server. The connection is made as postgres.js
 * makes it, TLS included: what is between must see the bytes as they are before encryption.
 *
 * It is there at once, and writes what it is given when the server can be reached, so that a driver learns of failures
 * by the events `error` and `close`, as from a socket of its own.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';

/** What is used of the options of postgres.js, as it has parsed them. */
export interface ConnectionOptions {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | undefined;
  /** `require`, `allow`, `prefer`: encrypted, whoever the server is. An object: options of `tls.connect`. */
  readonly ssl?: unknown;
  readonly sslnegotiation?: unknown;
  /** The application's own way to the server. */
  readonly socket?: ((options: unknown) => unknown) | undefined;
}

/** Something between a driver and a server: each function is given bytes, and gives those that are to go on. */
export interface Between {
  toServer(bytes: Buffer): Buffer;
  toDriver(bytes: Buffer): Buffer;
}

type Written = (error?: Error | null) => void;

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const ACCEPTS_SSL = 'S'.charCodeAt(0);

/** Which of several hosts is next: a driver tries them in turn, and makes the next attempt when a socket closes. */
const nextHost = new AsyncLocalStorage<number>();

/** The socket for a driver's next attempt to connect. It fails only if the application's own `socket` does. */
export async function driverSocket(
  options: ConnectionOptions,
  between: (ask: (bytes: Buffer) => void) => Between,
): Promise<DriverSocket> {
  const index = (nextHost.getStore() ?? 0) % options.port.length;
  if (options.socket !== undefined) {
    const given = (await options.socket(options)) as net.Socket & { readonly host?: string };
    const socket = new DriverSocket(given, between, index + 1);
    if (options.ssl) secure(given, options, given.host, socket);
    else socket.use(given);
    return socket;
  }
  const host = options.host[index];
  const port = options.port[index];
  const raw = new net.Socket();
  const socket = new DriverSocket(raw, between, index + 1);
  if (options.ssl) raw.once('connect', () => secure(raw, options, host, socket));
  else socket.use(raw);
  if (options.path) raw.connect(options.path);
  else {
    raw.connect(port ?? 5432, host ?? 'localhost');
    Object.assign(socket, { host, port });
  }
  return socket;
}

/** As postgres.js does it. */
function secure(
  raw: net.Socket,
  options: ConnectionOptions,
  host: string | undefined,
  socket: DriverSocket,
): void {
  const { ssl, sslnegotiation } = options;
  const direct = sslnegotiation === 'direct';
  const encrypt = () => {
    socket.leave(raw);
    const servername = host === undefined || net.isIP(host) ? undefined : host;
    const encrypted = tls.connect({
      socket: raw,
      ...(servername === undefined ? {} : { servername }),
      ...(direct ? { ALPNProtocols: ['postgresql'] } : {}),
      ...(ssl === 'require' || ssl === 'allow' || ssl === 'prefer' ? { rejectUnauthorized: false } : {}),
      ...(typeof ssl === 'object' ? ssl : {}),
    });
    socket.listenTo(encrypted);
    encrypted.once('secureConnect', () => socket.use(encrypted));
  };
  if (direct) {
    encrypt();
    return;
  }
  raw.once('data', (answer: Buffer) => {
    if (answer[0] !== ACCEPTS_SSL && ssl === 'prefer') socket.use(raw);
    else encrypt();
  });
  raw.write(SSL_REQUEST);
}

export class DriverSocket extends EventEmitter {
  /** postgres.js up to 3.4.3 takes a new socket for its next attempt only if the last one says that it is encrypted. */
  readonly encrypted = true;
  readonly #between: Between;
  readonly #nextHost: number;
  /** What was written before the server could be reached. */
  #waiting: [bytes: Buffer, written: Written | undefined][] | undefined = [];
  #socket: net.Socket;

  constructor(socket: net.Socket, between: (ask: (bytes: Buffer) => void) => Between, nextHostIndex: number) {
    super();
    this.#socket = socket;
    this.#nextHost = nextHostIndex;
    this.#between = between((bytes) => this.#socket.write(bytes));
    this.listenTo(socket);
  }

  readonly #onError = (error: Error): void => void this.emit('error', error);
  readonly #onDrain = (): void => void this.emit('drain');
  readonly #onClose = (hadError?: boolean): void => {
    nextHost.run(this.#nextHost, () => this.emit('close', hadError));
  };
  readonly #onData = (bytes: Buffer): void => {
    const seen = this.#between.toDriver(bytes);
    if (seen.length > 0) this.emit('data', seen);
  };

  listenTo(socket: net.Socket): void {
    this.#socket = socket;
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
  }

  leave(socket: net.Socket): void {
    socket.off('error', this.#onError);
    socket.off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
  }

  /** The server can be reached by this one, to which it listens. */
  use(socket: net.Socket): void {
    socket.on('data', this.#onData);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const [bytes, written] of waiting) socket.write(bytes, written);
  }

  write(bytes: Buffer, written?: Written): boolean {
    const sent = this.#between.toServer(bytes);
    if (this.#waiting === undefined) return this.#socket.write(sent, written);
    this.#waiting.push([sent, written]);
    return true;
  }

  end(bytes?: Buffer): this {
    if (bytes === undefined) this.#socket.end();
    else this.#socket.end(this.#between.toServer(bytes));
    return this;
  }

  destroy(error?: Error): this {
    this.#socket.destroy(error);
    return this;
  }

  pause(): this {
    this.#socket.pause();
    return this;
  }

  resume(): this {
    this.#socket.resume();
    return this;
  }

  setKeepAlive(on: boolean, initialDelayMs: number): this {
    // A socket of the application's may have none.
    this.#socket.setKeepAlive?.(on, initialDelayMs);
    return this;
  }

  get readyState(): string {
    return this.#socket.readyState;
  }
}
