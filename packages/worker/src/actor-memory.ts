import type { ContextText } from './context-text.ts';

/** Prefix of the messages in which a trigger says which database user writes. */
export const ACTOR_PREFIX = '_bemi_actor';

/** A trigger's message has some hundred bytes. */
const maximumBytes = 65_536;
/** A trigger says one thing in a transaction; what is more comes from somebody else. */
const maximumActors = 8;

/**
 * What the actor messages of a source transaction say (docs/spec/context-message.md, Actor): kept until its commit, which
 * they belong to. The same bytes again change nothing. Different ones are kept side by side, because nothing tells which of
 * them comes from the trigger; and what can't be kept is said, because a commit has no quarantine.
 */
export class ActorMemory {
  readonly #read: (content: Buffer) => ContextText;
  /** JSON texts. */
  readonly #actors: Buffer[] = [];
  #isFull = false;

  constructor(read: (content: Buffer) => ContextText) {
    this.#read = read;
  }

  add(content: Buffer): void {
    const actor = this.#kept(content);
    if (this.#isFull || this.#actors.some((known) => known.equals(actor))) return;
    this.#isFull = this.#actors.length === maximumActors;
    this.#actors.push(this.#isFull ? dropped(`more than ${maximumActors}`) : actor);
  }

  /** JSON text: the one object, or an array of those that differ, as they came. */
  text(): Buffer {
    const [first, ...others] = this.#actors;
    if (others.length === 0) return first!;
    return Buffer.concat([
      ...this.#actors.flatMap((actor, i) => [Buffer.from(i === 0 ? '[' : ','), actor]),
      Buffer.from(']'),
    ]);
  }

  #kept(content: Buffer): Buffer {
    if (content.length > maximumBytes) return dropped('too-large');
    const read = this.#read(content);
    return read.text ?? dropped(read.reason);
  }
}

function dropped(reason: string): Buffer {
  return Buffer.from(JSON.stringify({ _bemi_dropped: { '': reason } }));
}
