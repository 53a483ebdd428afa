// c2sp.org/tlog-tiles, "Log entries": big-endian u16 lengths, each before its entry.

/**
 * Records as an entry bundle.
 *
 * @throws RangeError where a record is longer than 65535 bytes
 */
export function encodeEntryBundle(records: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(records.reduce((bytes, record) => bytes + 2 + record.length, 0));
  let at = 0;
  for (const record of records) {
    if (record.length > 0xffff)
      throw new RangeError(`An entry of a bundle has 65535 bytes at most, got ${record.length}.`);
    bundle[at] = record.length >> 8;
    bundle[at + 1] = record.length & 0xff;
    bundle.set(record, at + 2);
    at += 2 + record.length;
  }
  return bundle;
}

/**
 * The records of an entry bundle, as views on it.
 *
 * @throws RangeError where the bundle ends within an entry
 */
export function decodeEntryBundle(bundle: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length) {
    const length = at + 2 <= bundle.length ? bundle[at]! * 256 + bundle[at + 1]! : 0;
    const end = at + 2 + length;
    if (end > bundle.length)
      throw new RangeError(
        `The bundle ends within its entry ${records.length}: at offset ${at}, expected ${end - at} bytes, got ${bundle.length - at}.`,
      );
    records.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return records;
}
