import { crc32, deflateSync, inflateSync } from 'node:zlib';

/*
 * PNG, https://www.w3.org/TR/png-3/: a signature, then chunks, each of length, type, data and CRC. A picture of a page has
 * few colours that matter: with a palette of 256 it takes a third of the bytes.
 */

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const colorTypeRgb = 2;
const colorTypePalette = 3;
const colorTypeRgba = 6;
const mostColors = 256;

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 0xRRGGBB each, row by row. */
  readonly colors: Uint32Array;
}

/**
 * The same picture with at most 256 colours, each as near to the pixel's own as that allows.
 *
 * @param png - with 8 bits a channel, not interlaced, opaque: as browsers make pictures of pages.
 */
export function smallPng(png: Buffer): Buffer {
  const { width, height, colors } = decoded(png);
  const palette = paletteOf(colors);
  const indexes = new Map(palette.map((color, index) => [color, index]));
  const rows = Buffer.alloc((width + 1) * height); // each row begins with its filter: 0, none
  for (const [at, color] of colors.entries()) {
    let index = indexes.get(color);
    if (index === undefined) {
      index = nearest(color, palette);
      indexes.set(color, index);
    }
    rows[at + Math.floor(at / width) + 1] = index;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colorTypePalette, 0, 0, 0], 8);
  const table = Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('PLTE', table),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The most frequent colours, none nearer to another than it takes for all to be near to one. */
function paletteOf(colors: Uint32Array): number[] {
  const counts = new Map<number, number>();
  for (const color of colors) counts.set(color, (counts.get(color) ?? 0) + 1);
  const byCount = [...counts].sort(([, a], [, b]) => b - a).map(([color]) => color);
  for (let least = 0; ; least = Math.max(4, least * 1.5)) {
    const palette: number[] = [];
    for (const color of byCount) {
      const isNear = palette.length > 0 && distance(color, palette[nearest(color, palette)]!) <= least;
      if (!isNear) palette.push(color);
      if (palette.length > mostColors) break;
    }
    if (palette.length <= mostColors) return palette;
  }
}

function nearest(color: number, palette: readonly number[]): number {
  let best = 0;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const [index, each] of palette.entries()) {
    const distanceOfEach = distance(color, each);
    if (distanceOfEach < bestDistance) [best, bestDistance] = [index, distanceOfEach];
  }
  return best;
}

/** Squared, in the cube of colours. */
function distance(a: number, b: number): number {
  const [red, green, blue] = [16, 8, 0].map((shift) => ((a >> shift) & 255) - ((b >> shift) & 255));
  return red! ** 2 + green! ** 2 + blue! ** 2;
}

function decoded(png: Buffer): Pixels {
  const data: Buffer[] = [];
  let header: Buffer = Buffer.alloc(0);
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const content = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = content;
    if (type === 'IDAT') data.push(content);
    at += 12 + length;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const [depth, colorType, , , interlace] = header.subarray(8);
  const isKnown =
    depth === 8 && interlace === 0 && (colorType === colorTypeRgb || colorType === colorTypeRgba);
  if (!isKnown) throw new Error(`A PNG of another form: ${header.toString('hex')}`);
  const channels = colorType === colorTypeRgba ? 4 : 3;
  const bytes = unfiltered(inflateSync(Buffer.concat(data)), width * channels, channels);
  const colors = new Uint32Array(width * height);
  for (const at of colors.keys()) colors[at] = bytes.readUIntBE(at * channels, 3);
  return { width, height, colors };
}

/** Undoes what each row's filter (section 9 of the specification) has done. */
function unfiltered(rows: Buffer, rowLength: number, channels: number): Buffer {
  const bytes = Buffer.alloc((rows.length / (rowLength + 1)) * rowLength);
  for (let from = 0, to = 0; from < rows.length; from += rowLength + 1, to += rowLength) {
    const filter = rows[from];
    for (let x = 0; x < rowLength; x++) {
      const left = x < channels ? 0 : bytes[to + x - channels]!;
      const above = to === 0 ? 0 : bytes[to + x - rowLength]!;
      const aboveLeft = to === 0 || x < channels ? 0 : bytes[to + x - rowLength - channels]!;
      const predicted = [0, left, above, (left + above) >> 1, paeth(left, above, aboveLeft)][filter!]!;
      bytes[to + x] = rows[from + 1 + x]! + predicted;
    }
  }
  return bytes;
}

function paeth(left: number, above: number, aboveLeft: number): number {
  const [toLeft, toAbove, toAboveLeft] = [
    Math.abs(above - aboveLeft),
    Math.abs(left - aboveLeft),
    Math.abs(left + above - 2 * aboveLeft),
  ];
  if (toLeft <= toAbove && toLeft <= toAboveLeft) return left;
  return toAbove <= toAboveLeft ? above : aboveLeft;
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}
