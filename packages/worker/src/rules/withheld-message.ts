/**
 * What is kept in quarantine of a row that can't be recorded, where columns of its table are redacted: nothing of its bytes,
 * and no digest of them, from which a short row could be guessed.
 */
export function withheldMessage(message: Uint8Array): Buffer {
  return Buffer.from(JSON.stringify({ redacted: true, bytes: message.length }));
}
