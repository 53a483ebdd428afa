import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAuditReader } from '@bemi-db/dashboard/server/audit-reader';
import { createDashboard } from '@bemi-db/dashboard/server/create-dashboard';
import type { Principal } from '@bemi-db/dashboard/server/principal';
import { requestListener } from '@bemi-db/dashboard/server/request-listener';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { createAccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { verifyInProcess } from '../dashboard/verify-process.ts';
import { version } from '../version.ts';
import type { DemoCluster } from './demo-cluster.ts';
import type { DemoSession } from './demo-session.ts';

/** Of a demo that only this machine reaches, and in which nobody's data are: no sign-in stands before it. */
const visitor: Principal = {
  ...{ kind: 'person', id: 'demo', name: 'You', email: undefined },
  ...{ role: 'admin', tables: undefined },
};
const usualPort = 4_000;

/** Serves the dashboard over the demo's audit database, on the usual port where that is free. Returns its address. */
export async function openDashboard(
  { folder, auditUrl }: DemoCluster,
  { teardown }: DemoSession,
): Promise<string> {
  const stateDirectory = join(folder, 'worker');
  const accesses = createAccessRecorder({ destination: auditUrl, stateDirectory });
  const stop = new AbortController();
  const recorded = accesses.run({ signal: stop.signal });
  teardown.add(async () => {
    stop.abort();
    await recorded;
  });
  const reader = createAuditReader(parseConnectionString(auditUrl, 'bemi demo').config);
  teardown.add(() => reader.close());
  const dashboard = createDashboard({
    reader,
    authenticate: async () => visitor,
    verify: verifyInProcess(auditUrl, { BEMI_STATE_DIR: stateDirectory }),
    version: version(),
    onError: () => undefined, // whoever looks is told
  });
  const server = createServer(requestListener(dashboard));
  await listen(server, usualPort).catch(() => listen(server, 0));
  teardown.add(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
