/** An array of texts, NULLs and arrays of the same length; PostgreSQL has no others. */
export type ArrayElements = readonly (string | null | ArrayElements)[];

/**
 * The text of a PostgreSQL array, every element quoted.
 *
 * @param delimiter - `typdelim` of the element: `;` for box, `,` for all others.
 * @param lowerBound - of every dimension. Default 1, which is not written.
 * @see https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function arrayLiteral(elements: ArrayElements, delimiter = ',', lowerBound = 1): string {
  const bounds = lowerBound === 1 ? '' : `${dimensions(elements, lowerBound)}=`;
  return bounds + braces(elements, delimiter);
}

function braces(elements: ArrayElements, delimiter: string): string {
  const parts = elements.map((element) => {
    if (element === null) return 'NULL';
    if (typeof element === 'string') return `"${element.replaceAll(/["\\]/g, '\\$&')}"`;
    return braces(element, delimiter);
  });
  return `{${parts.join(delimiter)}}`;
}

function dimensions(elements: ArrayElements, lowerBound: number): string {
  const [first] = elements;
  const bound = `[${lowerBound}:${lowerBound + elements.length - 1}]`;
  return Array.isArray(first) ? bound + dimensions(first, lowerBound) : bound;
}
