// Data as JSON that JSON has no form for: `{"$int":"…"}` for a bigint, `{"$bytes":"…"}` (base64) for bytes.

/** Objects, arrays, texts, numbers, booleans, bigints and byte arrays as JSON text. */
export function encodePlainData(data: unknown): string {
  return JSON.stringify(data, function (this: Record<string, unknown>, key: string, value: unknown) {
    const own = this[key]; // a Buffer has become an object of its own making by now
    if (own instanceof Uint8Array) return { $bytes: Buffer.from(own).toString('base64') };
    return typeof value === 'bigint' ? { $int: String(value) } : value;
  });
}

/** @throws SyntaxError where it is no JSON */
export function decodePlainData(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    const { $int, $bytes } = value as { readonly $int?: unknown; readonly $bytes?: unknown };
    if (typeof $int === 'string') return BigInt($int);
    return typeof $bytes === 'string' ? new Uint8Array(Buffer.from($bytes, 'base64')) : value;
  });
}
