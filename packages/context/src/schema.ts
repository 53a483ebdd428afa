/**
 * A context that is checked by a schema of zod, valibot, arktype or any other library that has the interface of
 * Standard Schema.
 *
 * @see https://standardschema.dev
 */
import { type BemiContext, currentBemiContext, runWithBemiContext, setBemiContext } from './context.ts';

/** What is used of a Standard Schema, version 1. */
export interface StandardSchema<Input, Output> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<Output> | Promise<Validated<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type Validated<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The functions of `@bemi-db/context`, for contexts of one shape. */
export interface CheckedContext<Input> {
  set(context: Input): void;
  /** The schema has to hold for the context that results. */
  merge(members: Partial<Input>): void;
  run<T>(context: Input, work: () => T | PromiseLike<T>): Promise<T>;
  current(): BemiContext | undefined;
}

/** Member that says what a schema had against a context: an object from JSON Pointer to message. Absent if nothing. */
export const INVALID_MEMBER = '_bemi_invalid';

/** As much as somebody reads. */
const MAX_ISSUES = 16;

/**
 * The setters of the context, which check it first. What is stored is what the schema makes of the context, with its
 * defaults and without what it strips.
 *
 * A write never fails for its context: one that the schema refuses is stored as it was given, with the member
 * {@link INVALID_MEMBER}, and Node's warning `BEMI_CONTEXT_INVALID` comes once for each schema. A schema that answers
 * by a promise can't be waited for: that is said in the same way.
 *
 * @example
 * const context = createBemiContext({ schema: z.object({ userId: z.string(), accessReason: z.string().min(10) }) });
 * context.set({ userId: user.id, accessReason: 'Annual check-up' });
 */
export function createBemiContext<Input extends object, Output extends object>(options: {
  readonly schema: StandardSchema<Input, Output>;
}): CheckedContext<Input> {
  let warned = false;

  function checked(context: object): BemiContext {
    const result = validate<Output>(options.schema, context);
    if (result.issues === undefined) return result.value as BemiContext;
    if (!warned) warnOfInvalid(result.issues);
    warned = true;
    return withIssues(context, result.issues);
  }

  return {
    set: (context) => setBemiContext(checked(context)),
    merge: (members) => {
      const { [INVALID_MEMBER]: _, ...before } = currentBemiContext() ?? {};
      const after = checked({ ...before, ...members });
      setBemiContext(after);
    },
    run: (context, work) => runWithBemiContext(checked(context), work),
    current: currentBemiContext,
  };
}

function validate<Output>(schema: StandardSchema<unknown, Output>, context: object): Validated<Output> {
  try {
    const result = schema['~standard'].validate(context);
    if (!(result instanceof Promise)) return result;
    result.catch(() => undefined);
    return { issues: [{ message: 'the schema is asynchronous' }] };
  } catch {
    return { issues: [{ message: 'the schema threw an error' }] };
  }
}

function withIssues(context: object, issues: readonly Issue[]): BemiContext {
  const said = issues.slice(0, MAX_ISSUES).map(({ path, message }) => [pointer(path ?? []), message]);
  // A getter that throws is left to where the message is written.
  try {
    return { ...context, [INVALID_MEMBER]: Object.fromEntries(said) };
  } catch {
    return context as BemiContext;
  }
}

function pointer(path: NonNullable<Issue['path']>): string {
  return path
    .map((step) => String(typeof step === 'object' ? step.key : step))
    .map((step) => `/${step.replace(/~/g, '~0').replace(/\//g, '~1')}`)
    .join('');
}

/** Names of members only: what a message says may hold a value. */
function warnOfInvalid(issues: readonly Issue[]): void {
  process.emitWarning('A context does not fit its schema. It is stored all the same.', {
    code: 'BEMI_CONTEXT_INVALID',
    detail: `At: ${issues
      .slice(0, MAX_ISSUES)
      .map(({ path }) => pointer(path ?? []) || 'the context')
      .join(', ')}`,
  });
}
