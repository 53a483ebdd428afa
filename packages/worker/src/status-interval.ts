/**
 * How often the server hears from us. It ends the connection after wal_sender_timeout without a word, so three times as
 * often; and at least every 10 s, so that it can forget WAL.
 *
 * @param walSenderTimeoutMs - 0 where it is off.
 */
export function statusIntervalMs(walSenderTimeoutMs: number, isDraining: boolean): number {
  const usual = isDraining ? 250 : 10_000;
  return walSenderTimeoutMs > 0 ? Math.max(100, Math.min(usual, Math.floor(walSenderTimeoutMs / 3))) : usual;
}
