import type { BemiFolder } from '../configuration/bemi-folder.ts';
import { type EmbeddedAuditDatabase, openEmbedded } from './embedded-audit-database.ts';
import { isListening } from './tcp-port.ts';

const checkMs = 1_000;

/**
 * Keeps the embedded audit database running for as long as a worker needs it. The process that started it may be a
 * `bemi log` that ends: then this one starts it again, on the same port, and the worker's next try finds it.
 */
export function keepRunning(
  folder: BemiFolder,
  opened: EmbeddedAuditDatabase,
  onRestart: (port: number) => void,
): { close(): Promise<void> } {
  let current = opened;
  let checking: Promise<void> | undefined;
  let isClosing = false;
  const check = async (): Promise<void> => {
    if ((await isListening(current.port)) || isClosing) return;
    current = await openEmbedded(folder);
    onRestart(current.port);
  };
  const timer = setInterval(() => {
    // A failed start is tried again by the next tick; meanwhile the worker says that it can't reach the database.
    checking ??= check()
      .catch(() => undefined)
      .finally(() => {
        checking = undefined;
      });
  }, checkMs);
  return {
    async close() {
      isClosing = true;
      clearInterval(timer);
      await checking;
      await current.close();
    },
  };
}
