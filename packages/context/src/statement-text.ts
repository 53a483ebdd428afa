import type { BemiContext } from './context.ts';

/** Marks a context that wants the text of each statement; no member of it, so no message shows it. */
const WANTS_STATEMENT_TEXT = Symbol.for('@bemi-db/context/statement-text');

/** The context, to be sent with a member `SQL`: the text of the statement that it goes with. */
export function withStatementText(context: BemiContext): BemiContext {
  return { ...context, [WANTS_STATEMENT_TEXT]: true };
}

/** What a context is with a statement: itself, unless it wants the text. A member `SQL` of its own stays. */
export function contextForStatement(context: BemiContext, text: string): BemiContext {
  return WANTS_STATEMENT_TEXT in context ? { SQL: text, ...context } : context;
}
