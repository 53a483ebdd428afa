/**
 * Whether a text can name a key (c2sp.org/signed-note, Format): non-empty, without Unicode spaces, plus signs and
 * control characters.
 */
export function isKeyName(name: string): boolean {
  // JavaScript's \s lacks U+0085, which is a Unicode space, and has U+FEFF, which is none but helps nobody.
  return name !== '' && !/[\s\u0085+\p{Cc}]/u.test(name) && !/\p{Surrogate}/u.test(name);
}
