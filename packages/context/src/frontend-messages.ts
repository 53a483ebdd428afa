/**
 * Messages to the server, as text of one character a byte: what is sent here is ASCII.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** Parse. */
export function parseMessage(name: string, text: string): string {
  return frontendMessage('P', `${name}\0${text}\0\0\0`);
}

/** Bind, of texts to the parameters of a statement, and Execute. */
export function bindAndExecute(name: string, ...values: readonly string[]): string {
  const parameters = values.map((value) => int32(value.length) + value).join('');
  return `${frontendMessage('B', `\0${name}\0\0\0\0${String.fromCharCode(values.length)}${parameters}\0\0`)}E\0\0\0\x09\0\0\0\0\0`;
}

/** The beginning of a Query that is another one, of so many bytes, behind some text. */
export function queryMessage(text: string, length: number): string {
  return `Q${int32(text.length + length - 1)}${text}`;
}

export const SYNC = 'S\0\0\0\x04';

export function bytesOf(messages: string): Buffer {
  return Buffer.from(messages, 'latin1');
}

function frontendMessage(type: string, body: string): string {
  return type + int32(body.length + 4) + body;
}

function int32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
