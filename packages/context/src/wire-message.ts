/**
 * The messages of PostgreSQL's protocol as bytes: a type, a length that counts itself, then the fields.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** Bytes before the fields of a message. */
export const HEADER_BYTES = 5;

/** The types that are looked at, as their byte. */
export const type = {
  // Of the client.
  bind: 0x42,
  parse: 0x50,
  query: 0x51,
  sync: 0x53,
  // Of the server.
  parseComplete: 0x31,
  bindComplete: 0x32,
  commandComplete: 0x43,
  dataRow: 0x44,
  errorResponse: 0x45,
  noticeResponse: 0x4e,
  rowDescription: 0x54,
  readyForQuery: 0x5a,
} as const;

/** Where the message that begins at an offset ends. Its header must be there. */
export function messageEnd(bytes: Buffer, at: number): number {
  return at + 1 + bytes.readUInt32BE(at + 1);
}

export function message(messageType: number, ...fields: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat([Buffer.allocUnsafe(HEADER_BYTES), ...fields]);
  bytes[0] = messageType;
  bytes.writeUInt32BE(bytes.length - 1, 1);
  return bytes;
}

/** The bytes of the string field at an offset, without the zero byte that ends it. */
export function stringAt(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at, bytes.indexOf(0, at));
}

/** The columns of a DataRow, as text. */
export function columnsOf(dataRow: Buffer): (string | null)[] {
  const columns: (string | null)[] = [];
  const count = dataRow.readUInt16BE(HEADER_BYTES);
  for (let at = HEADER_BYTES + 2; columns.length < count; ) {
    const length = dataRow.readInt32BE(at);
    at += 4;
    columns.push(length < 0 ? null : dataRow.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return columns;
}

/** A field of an ErrorResponse or NoticeResponse, by the letter that is its type. */
export function fieldOf(response: Buffer, letter: string): string | undefined {
  for (let at = HEADER_BYTES; response[at]; ) {
    const value = stringAt(response, at + 1);
    if (response[at] === letter.charCodeAt(0)) return value.toString();
    at += 1 + value.length + 1;
  }
  return undefined;
}

/** The same ErrorResponse or NoticeResponse with another value of a field that it has. */
export function withField(response: Buffer, letter: string, given: string): Buffer {
  const fields: Buffer[] = [];
  for (let at = HEADER_BYTES; response[at]; ) {
    const value = stringAt(response, at + 1);
    const end = at + 1 + value.length + 1;
    const changed = response[at] === letter.charCodeAt(0);
    fields.push(changed ? Buffer.from(`${letter}${given}\0`) : response.subarray(at, end));
    at = end;
  }
  return message(response[0] ?? 0, ...fields, Buffer.of(0));
}
