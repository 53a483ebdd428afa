import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ownEnvironment } from '../command.ts';

export interface NextServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** `next start` of an application that is built. */
export async function startNext(folder: string, env: Readonly<Record<string, string>>): Promise<NextServer> {
  const program = `${folder}/node_modules/next/dist/bin/next`;
  const server = spawn(process.execPath, [program, 'start', '-H', '127.0.0.1', '-p', '0'], {
    cwd: folder,
    env: { ...ownEnvironment(), NEXT_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  };
  for await (const line of createInterface(server.stdout)) {
    const url = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(line)?.[0];
    if (url === undefined) continue;
    server.stdout.resume();
    return { url, stop };
  }
  throw new Error('Next.js does not start.');
}
