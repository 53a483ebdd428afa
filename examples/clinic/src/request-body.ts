/** What a client got wrong; the answer is 400. */
export class InvalidRequest extends Error {}

export type Body = Readonly<Record<string, unknown>>;

export function bodyOf(given: unknown): Body {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidRequest('The body must be a JSON object.');
  }
  return given as Body;
}

export function text(body: Body, field: string): string {
  const value = body[field];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw new InvalidRequest(`${field} must be a text that isn't empty.`);
}

export function optionalText(body: Body, field: string): string | null {
  return body[field] === undefined || body[field] === null ? null : text(body, field);
}

export function texts(body: Body, field: string): string[] {
  const value = body[field];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new InvalidRequest(`${field} must be a list of texts.`);
}

/** A day, as `1990-01-31`. */
export function date(body: Body, field: string): Date {
  const day = new Date(/^\d{4}-\d\d-\d\d$/.test(text(body, field)) ? text(body, field) : Number.NaN);
  if (!Number.isNaN(day.getTime())) return day;
  throw new InvalidRequest(`${field} must be a date, as 1990-01-31.`);
}

export function count(body: Body, field: string): number {
  const value = body[field];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidRequest(`${field} must be a whole number, 0 or more.`);
}

export function flag(body: Body, field: string): boolean {
  const value = body[field];
  if (typeof value === 'boolean') return value;
  throw new InvalidRequest(`${field} must be true or false.`);
}

export function oneOf<T extends string>(body: Body, field: string, allowed: Readonly<Record<string, T>>): T {
  const value = Object.values(allowed).find((one) => one === body[field]);
  if (value !== undefined) return value;
  throw new InvalidRequest(`${field} must be one of ${Object.values(allowed).join(', ')}.`);
}

/** The fields of a body that are there, each read by its reader; for changes of a part of a record. */
export function present<T>(
  body: Body,
  readers: { readonly [F in keyof T]: (body: Body, field: string) => T[F] },
): Partial<T> {
  const values: Partial<T> = {};
  for (const field of Object.keys(readers) as (keyof T & string)[]) {
    if (body[field] !== undefined) values[field] = readers[field](body, field);
  }
  return values;
}
