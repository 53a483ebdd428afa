/**
 * Cuts a byte stream into PostgreSQL messages: a tag byte, a big-endian 32-bit length that counts itself,
 * and the body. CopyData bodies, nearly all of what a replication connection carries, are handed out as a
 * range of the socket's own buffer; a message is copied only when it spans two buffers, once.
 *
 * The receiver may stop the flow in the middle of a buffer (`pause`), for as long as it needs to look
 * something up; what is left of the buffer waits here, and `resume` goes on with it.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export interface FrameReceiver {
  /** A CopyData body: `bytes[start, end)`, valid only until this call returns. */
  copyData(bytes: Buffer, start: number, end: number): void;
  /** Any other message, whole, with tag and length. */
  other(message: Buffer): void;
  /** All that arrived so far was handed out. */
  drained(): void;
}

const tagCopyData = 0x64; // 'd'
const headerLength = 5;
/** PostgreSQL itself never builds a message above 1 GiB (MaxAllocSize); more is a broken stream. */
const maximumFrameLength = 0x4000_0000;

export class CopyBothFrames {
  readonly #receiver: FrameReceiver;
  /** The message that spans buffers, of its full size once its header is known, and how much of it is here. */
  #partial: Buffer | undefined;
  #partialLength = 0;
  readonly #header = Buffer.alloc(headerLength);
  #waiting: Buffer[] = [];
  #isPaused = false;
  #isRunning = false;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** Hands out what waited. The flow may be paused again when this returns. */
  resume(): void {
    this.#isPaused = false;
    if (!this.#isRunning) this.#run();
  }

  /** @throws RangeError when a length is impossible: the stream can't be trusted from there on. */
  push(buffer: Buffer): void {
    this.#waiting.push(buffer);
    if (!this.#isPaused && !this.#isRunning) this.#run();
  }

  #run(): void {
    this.#isRunning = true;
    try {
      while (!this.#isPaused) {
        const buffer = this.#waiting.shift();
        if (!buffer) {
          this.#receiver.drained();
          if (this.#waiting.length === 0) return;
          continue;
        }
        const used = this.#cut(buffer);
        if (used < buffer.length) this.#waiting.unshift(buffer.subarray(used));
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Hands out the messages of one buffer and returns how many of its bytes are dealt with. */
  #cut(buffer: Buffer): number {
    let offset = this.#partialLength > 0 ? this.#continuePartial(buffer) : 0;
    while (!this.#isPaused && offset < buffer.length) {
      const available = buffer.length - offset;
      if (available < headerLength) {
        buffer.copy(this.#header, 0, offset);
        this.#partialLength = available;
        return buffer.length;
      }
      const frameLength = 1 + checkedLength(buffer.readUInt32BE(offset + 1));
      if (frameLength > available) {
        this.#partial = Buffer.allocUnsafeSlow(frameLength);
        buffer.copy(this.#partial, 0, offset);
        this.#partialLength = available;
        return buffer.length;
      }
      this.#dispatch(buffer, offset, offset + frameLength);
      offset += frameLength;
    }
    return offset;
  }

  #continuePartial(buffer: Buffer): number {
    let offset = 0;
    if (!this.#partial) {
      offset = Math.min(headerLength - this.#partialLength, buffer.length);
      buffer.copy(this.#header, this.#partialLength, 0, offset);
      this.#partialLength += offset;
      if (this.#partialLength < headerLength) return offset;
      this.#partial = Buffer.allocUnsafeSlow(1 + checkedLength(this.#header.readUInt32BE(1)));
      this.#header.copy(this.#partial);
    }
    const message = this.#partial;
    const copied = buffer.copy(message, this.#partialLength, offset);
    this.#partialLength += copied;
    if (this.#partialLength < message.length) return offset + copied;
    this.#partial = undefined;
    this.#partialLength = 0;
    this.#dispatch(message, 0, message.length);
    return offset + copied;
  }

  #dispatch(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === tagCopyData) this.#receiver.copyData(bytes, start + headerLength, end);
    else this.#receiver.other(bytes.subarray(start, end));
  }
}

function checkedLength(length: number): number {
  if (length < 4 || length > maximumFrameLength) {
    throw new RangeError(
      `Impossible message length from the server: expected 4 to ${maximumFrameLength}, got ${length}`,
    );
  }
  return length;
}
