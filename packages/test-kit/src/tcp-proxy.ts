import { createServer, connect as dial, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A connection that runs through the proxy. */
interface Relay {
  readonly client: Socket;
  readonly server: Socket;
  /** How the client introduced itself: application names tell connections apart. */
  startup: string;
  isStalled: boolean;
}

/** Which connections: those whose startup message (database, role, `application_name`) matches. */
export type RelayFilter = RegExp;

const every: RelayFilter = /(?:)/;

/** A network between a worker and a server, which a test makes fail. */
export interface TcpProxy {
  readonly port: number;
  /** The same URL by way of the proxy. */
  url(serverUrl: string): string;
  /** Where new connections go from now on: as when an address is given to another server. */
  pointTo(serverUrl: string): void;
  /** Resets connections, like a firewall that restarts. */
  cut(which?: RelayFilter): number;
  /**
   * Lets connections go half open: bytes are taken from both ends, which stay open, and none is handed on any more.
   * New connections work, unless they match too and `andNew` is given.
   */
  stall(which?: RelayFilter, options?: { readonly andNew: boolean }): number;
  /** Refuses new connections, and resets those that there are. */
  refuse(): void;
  /** Each chunk waits so long before it is handed on; 0 again for none. */
  slowDown(delayMs: number): void;
  /** New connections work again, whole ones go on; stalled ones stay so: what they swallowed is gone. */
  heal(): void;
  /** Ends it, with its connections. */
  close(): Promise<void>;
}

/** Opens a proxy in front of a server, until it is closed. */
export async function openTcpProxy(serverUrl: string): Promise<TcpProxy> {
  const relays = new Set<Relay>();
  let target = new URL(serverUrl);
  let isRefusing = false;
  let stallsNew: RelayFilter | undefined;
  let delayMs = 0;

  const server = createServer({ allowHalfOpen: false }, (client) => {
    if (isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const relay: Relay = {
      client,
      server: dial(Number(target.port), target.hostname),
      startup: '',
      isStalled: false,
    };
    relays.add(relay);
    client.once('data', (bytes) => {
      relay.startup = bytes.toString('latin1');
      if (stallsNew?.test(relay.startup)) relay.isStalled = true;
    });
    hand(relay, client, relay.server);
    hand(relay, relay.server, client);
    for (const [end, other] of [
      [client, relay.server],
      [relay.server, client],
    ] as const) {
      end.setNoDelay(true);
      end.on('error', () => undefined); // 'close' follows
      end.once('close', () => {
        // Half open means that neither end gets to know of the other's.
        if (!relay.isStalled) {
          relays.delete(relay);
          other.destroy();
        }
      });
    }
  });

  function hand(relay: Relay, from: Socket, to: Socket): void {
    let last: Promise<unknown> = Promise.resolve();
    let waiting = 0;
    from.on('data', (bytes) => {
      if (relay.isStalled) return;
      // Bytes keep their order when a delay ends, too.
      if (delayMs === 0 && waiting === 0) {
        if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
        return;
      }
      const pause = delay(delayMs);
      waiting++;
      last = Promise.all([last, pause]).then(() => {
        waiting--;
        if (!relay.isStalled) to.write(bytes);
      });
    });
    from.once('end', () => {
      if (!relay.isStalled) to.end();
    });
  }

  const matching = (which: RelayFilter): Relay[] =>
    [...relays].filter((relay) => !relay.isStalled && which.test(relay.startup));
  const drop = (relay: Relay): void => {
    relays.delete(relay);
    relay.client.resetAndDestroy();
    relay.server.resetAndDestroy();
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  return {
    port,
    url(ofServer) {
      const url = new URL(ofServer);
      url.hostname = '127.0.0.1';
      url.port = String(port);
      return url.href;
    },
    pointTo(ofServer) {
      target = new URL(ofServer);
    },
    cut(which = every) {
      const cut = matching(which);
      cut.forEach(drop);
      return cut.length;
    },
    stall(which = every, { andNew } = { andNew: false }) {
      const stalled = matching(which);
      for (const relay of stalled) relay.isStalled = true;
      if (andNew) stallsNew = which;
      return stalled.length;
    },
    refuse() {
      isRefusing = true;
      for (const relay of relays) drop(relay);
    },
    slowDown(ms) {
      delayMs = ms;
    },
    heal() {
      isRefusing = false;
      stallsNew = undefined;
      delayMs = 0;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const relay of relays) drop(relay);
      await closed;
    },
  };
}
