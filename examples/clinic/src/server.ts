import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ClinicOptions, createApp } from './app.ts';

export interface ClinicServerOptions extends ClinicOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

export interface ClinicServer {
  readonly url: string;
  /** Closes the server and its connections, those of clients included. */
  close(): Promise<void>;
}

/** Starts the clinic. It fails if the port is taken. */
export async function startClinic({
  port = 0,
  host = '127.0.0.1',
  ...options
}: ClinicServerOptions): Promise<ClinicServer> {
  const clinic = createApp(options);
  const server = clinic.app.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host}:${address.port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await clinic.close();
    },
  };
}
