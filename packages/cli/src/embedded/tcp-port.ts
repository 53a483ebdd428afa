import { connect, createServer } from 'node:net';

/** Whether a port of 127.0.0.1 is free to listen on. */
export function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    const answer = (listens: boolean) => {
      probe.destroy();
      resolve(listens);
    };
    probe.once('connect', () => answer(true));
    probe.once('error', () => answer(false));
  });
}
