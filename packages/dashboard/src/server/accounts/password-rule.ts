import { commonPasswords } from './common-passwords.ts';

export const shortestPassword = 12;
/** Whoever sends more wants to keep the server busy. */
export const longestPassword = 256;

/**
 * Why a password is not good enough; `undefined` where it is. Length is what counts (NIST SP 800-63B, 3.1.1.2): no rules
 * about kinds of characters, and none of the passwords that are tried first.
 *
 * @param person - whose it is: their name and address are tried first, too.
 */
export function passwordProblem(
  password: string,
  person: { readonly email: string; readonly name: string },
): string | undefined {
  const characters = [...password].length;
  if (characters < shortestPassword) return `A password has at least ${shortestPassword} characters`;
  if (characters > longestPassword) return `A password has at most ${longestPassword} characters`;
  const plain = plainForm(password);
  if (new Set(plain).size < 5) return 'A password that repeats a few characters is guessed at once';
  const known = commonPasswords.some((common) => plain === common || isRepeated(plain, common));
  if (known) return 'This is one of the passwords that are tried first';
  const own = [person.email, person.email.split('@')[0] ?? '', person.name, 'bemi'].map(plainForm);
  const isOwn = own.some((text) => text.length >= 4 && plain.replaceAll(text, '').length < 6);
  return isOwn ? 'A password of one’s own name or address is tried first' : undefined;
}

/** Letters and digits, whatever people write for letters put back: `P@ssw0rd` is `password`. */
function plainForm(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('@', 'a')
    .replaceAll('0', 'o')
    .replaceAll('$', 's')
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** `passwordpassword`, and `password12345`. */
function isRepeated(plain: string, common: string): boolean {
  const rest = plain.replaceAll(common, '');
  return plain !== rest && /^[\d]{0,6}$/.test(rest.replaceAll('o', '0'));
}
