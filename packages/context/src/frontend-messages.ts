/**
 * Messages to the server, as text of one character a byte: what is sent here is ASCII.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** Parse. */
export function parseMessage(name: string, text: string): string {
  return frontendMessage('P', `${name}\0${text}\0\0\0`);
}

/** Bind, of a text to the one parameter of a statement, to a portal of the statement's name. */
export function bindMessage(name: string, value: string): string {
  return frontendMessage('B', `${name}\0${name}\0\0\0\0\x01${int32(value.length)}${value}\0\0`);
}

/** Execute, of the whole of a portal. */
export function executeMessage(portal: string): string {
  return frontendMessage('E', `${portal}\0\0\0\0\0`);
}

/** Both, of the unnamed statement and portal. */
export function bindAndExecute(value: string): string {
  return bindMessage('', value) + executeMessage('');
}

export const SYNC = 'S\0\0\0\x04';

export function bytesOf(messages: string): Buffer {
  return Buffer.from(messages, 'latin1');
}

/** A message of a type of its own; `more` bytes of it are to follow. */
export function frontendMessage(type: string, body: string, more = 0): string {
  return type + int32(body.length + more + 4) + body;
}

/** Big-endian. The lowest byte of each code unit is what is written. */
export function int32(value: number): string {
  return String.fromCharCode(value >>> 24, value >>> 16, value >>> 8, value);
}
