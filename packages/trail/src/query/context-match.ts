/** A JSON value that a person types without quotes. */
const scalarPattern = /^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/;

/**
 * The JSON documents that a context contains if its member `key` has the value `value`. There are several because a
 * command line doesn't tell `7` from `"7"`, nor the name `user.id` from the member `id` of `user`.
 *
 * @example
 * contextAlternatives('attempt', '7'); // ['{"attempt":"7"}', '{"attempt":7}']
 */
export function contextAlternatives(key: string, value: string): string[] {
  const values = [JSON.stringify(value)];
  // As text: a number beyond 2^53 must not pass through JavaScript.
  if (scalarPattern.test(value)) values.push(value);
  const paths = [[key]];
  const nested = key.split('.');
  if (nested.length > 1 && nested.every((name) => name !== '')) paths.push(nested);
  return paths.flatMap((path) =>
    values.map((text) => path.reduceRight((inner, name) => `{${JSON.stringify(name)}:${inner}}`, text)),
  );
}
