import { parseLsn } from './lsn.ts';
import { type RetentionSetting, retentionSetting } from './retention-periods.ts';

/** The payload of an event, as docs/spec/log.md reads it: members are looked up by name, and others ignored. */
export class EventPayload {
  readonly #members: Readonly<Record<string, unknown>>;

  private constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  /** Undefined where the text isn't a JSON object. */
  static parse(text: string): EventPayload | undefined {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
      return new EventPayload(value as Record<string, unknown>);
    } catch {
      return undefined;
    }
  }

  /** What a `config` event says of retention, if it does. */
  retentionSetting(at: number): RetentionSetting | undefined {
    return retentionSetting(this.#members, at);
  }

  text(name: string): string | undefined {
    const value = this.#members[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** A sequence, size or count: a whole number below 2^53. */
  count(name: string): number | undefined {
    const value = this.#members[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }

  lsn(name: string): bigint | undefined {
    return parseLsn(this.text(name) ?? '');
  }

  /** A list of pairs [first, last], or undefined where it is none. */
  ranges(name: string): readonly (readonly [number, number])[] | undefined {
    const value = this.#members[name];
    const isPair = (pair: unknown): pair is [number, number] =>
      Array.isArray(pair) && pair.length === 2 && pair.every(Number.isSafeInteger) && pair[0] <= pair[1];
    return Array.isArray(value) && value.every(isPair) ? value : undefined;
  }
}
