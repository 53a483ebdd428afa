import type { Server } from 'node:http';
import { ProblemError } from './problem.ts';

/**
 * Resolves when a server listens.
 *
 * @throws ProblemError of kind `configuration` when the address can't be listened on.
 */
export function listen(server: Server, host: string, port: number): Promise<void> {
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
