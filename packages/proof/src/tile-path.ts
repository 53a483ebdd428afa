// c2sp.org/tlog-tiles, "Merkle Tree" and "Log entries": tile/<L>/<N>[.p/<W>] and tile/entries/<N>[.p/<W>], <N> in
// zero-padded elements of 3 digits, of which all but the last begin with an x.

import { TILE_WIDTH } from './tile-tree.ts';

/** A tile of hashes (`level` 0 to 63) or a bundle of entries, `width` 1 to 256: 256 is a full one. */
export interface TilePath {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** @throws RangeError where level, index or width is none that a tile has */
export function formatTilePath({ level, index, width }: TilePath): string {
  if (level !== 'entries' && !(Number.isInteger(level) && level >= 0 && level <= 63))
    throw new RangeError(`A tile's level is 0 to 63, got ${level}.`);
  if (!Number.isSafeInteger(index) || index < 0)
    throw new RangeError(`A tile's index is a whole number from 0 on, got ${index}.`);
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH)
    throw new RangeError(`A tile's width is 1 to ${TILE_WIDTH}, got ${width}.`);
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const elements = padded.match(/\d{3}/g)!;
  const path = elements.map((element, i) => (i < elements.length - 1 ? `x${element}` : element)).join('/');
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const TILE_PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*)(\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** The tile that a path names, without a slash in front; undefined where it names none, or not in the one way. */
export function parseTilePath(path: string): TilePath | undefined {
  const match = TILE_PATH.exec(path);
  if (match === null) return undefined;
  const level = match[1] === 'entries' ? 'entries' : Number(match[1]);
  const index = Number(match[2]!.replace(/[x/]/g, '') + match[3]!);
  const width = match[4] === undefined ? TILE_WIDTH : Number(match[4]);
  if ((level !== 'entries' && level > 63) || width > TILE_WIDTH || !Number.isSafeInteger(index))
    return undefined;
  // One path for a tile: no leading element of zeros, no .p/256.
  return formatTilePath({ level, index, width }) === path ? { level, index, width } : undefined;
}
