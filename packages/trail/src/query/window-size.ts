/** What a window should take. */
export const wantedMs = 50;

/** How much is looked at in one statement: as much as takes some 50 ms, as far as the last one tells. */
export class WindowSize {
  readonly #least: number;
  readonly #most: number;
  #size: number;

  constructor({ first, least, most }: { first: number; least: number; most: number }) {
    this.#size = first;
    this.#least = least;
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  took(ms: number): void {
    const factor = Math.min(4, Math.max(1 / 4, wantedMs / Math.max(ms, 1)));
    this.#size = Math.round(Math.min(this.#most, Math.max(this.#least, this.#size * factor)));
  }

  /** After one that was given up. Returns whether it could be made smaller. */
  shrink(): boolean {
    const before = this.#size;
    this.#size = Math.max(this.#least, Math.floor(before / 8));
    return this.#size < before;
  }
}
