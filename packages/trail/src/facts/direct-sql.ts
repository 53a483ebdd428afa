/**
 * What direct SQL is, wherever it is counted: changes that the filter `withoutContext` finds, `n` in the index of changes and
 * `without_context` in the counts. `saysSomething` (query/context-share.ts) is the same as SQL over a context. A change whose
 * context was erased is none: somebody said something of it.
 */
export const directSqlMeaning =
  'Changes that no application said anything of: they came without a context, with an empty one, or with one that can’t be read. SQL by hand, scripts, and applications that aren’t wrapped.';
