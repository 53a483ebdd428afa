/**
 * How often the server hears from us. It ends the connection after wal_sender_timeout without a word, so three times as
 * often; and at least every 10 s, so that it can forget WAL.
 *
 * @param walSenderTimeoutMs - 0 where it is off.
 * @param askAfterMs - silence after which the connection is doubted: before that the server is asked to say something.
 */
export function statusIntervalMs(
  walSenderTimeoutMs: number,
  askAfterMs: number,
  isDraining: boolean,
): number {
  const usual = isDraining ? 250 : Math.min(10_000, Math.floor(askAfterMs / 3));
  return walSenderTimeoutMs > 0 ? Math.max(100, Math.min(usual, Math.floor(walSenderTimeoutMs / 3))) : usual;
}
