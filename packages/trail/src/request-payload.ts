const mostCharacters = 2_000;

/** The members of a request's payload; none where it is no JSON object. Anybody who may insert can write anything there. */
export function requestMembers(payload: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(payload);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A text for people that PostgreSQL can take out of JSON again: without NUL and lone surrogates, and no novel. */
export function isPlainText(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.length <= mostCharacters &&
    !/\0|\p{Surrogate}/u.test(value)
  );
}
