/** What follows the `?` of a page's address: each member a text, or several where it is repeated. */
export type AddressMembers = Record<string, string | string[]>;

/** `?table=a&table=b&primaryKey=42`: texts as they are. What looks like a number is none: a key of 20 digits keeps them. */
export function parseAddress(search: string): AddressMembers {
  const members = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(search)) {
    const known = members.get(name);
    members.set(name, known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value]);
  }
  return Object.fromEntries(members);
}

/** The other way; what is `undefined` or empty is left out. */
export function addressText(members: Readonly<Record<string, unknown>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [value])
      if (each !== undefined && each !== null && each !== '') parameters.append(name, String(each));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/** Of a member that has one value: the first, where somebody gave several. */
export function oneOf(members: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = members[name];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' && first !== '' ? first : undefined;
}
