// Pixel cells (PS3.5, chapter 8 and annex A; PS3.3, C.7.6.3) to numbers: the codec, then bits, sign, planes and colour.

/** How pixels are laid out, by the Image Pixel module's attributes. */
export interface Layout {
  width: number;
  height: number;
  channels: 1 | 3;
  bitsAllocated: 8 | 16;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  photometric: Photometric;
  /** Uncompressed colour in planes, one after the other, instead of pixel by pixel. */
  planar: boolean;
}

export const PHOTOMETRICS = ['MONOCHROME1', 'MONOCHROME2', 'RGB', 'YBR_FULL', 'YBR_FULL_422', 'YBR_ICT', 'YBR_RCT'] as const;
export type Photometric = (typeof PHOTOMETRICS)[number];

type Decoder = 'decodeRle' | 'decodeJpeg' | 'decodeJpegLs' | 'decodeJpeg2000' | 'decodeHtJpeg2000';
/** Transfer syntaxes (PS3.5, annex A) and dcmjs-codecs' function for each; the second list is of those that may lose detail. */
const LOSSLESS: Record<string, Decoder> = {
  '1.2.840.10008.1.2.5': 'decodeRle',
  '1.2.840.10008.1.2.4.57': 'decodeJpeg',
  '1.2.840.10008.1.2.4.70': 'decodeJpeg',
  '1.2.840.10008.1.2.4.80': 'decodeJpegLs',
  '1.2.840.10008.1.2.4.90': 'decodeJpeg2000',
  '1.2.840.10008.1.2.4.201': 'decodeHtJpeg2000',
  '1.2.840.10008.1.2.4.202': 'decodeHtJpeg2000',
};
const LOSSY: Record<string, Decoder> = {
  '1.2.840.10008.1.2.4.50': 'decodeJpeg',
  '1.2.840.10008.1.2.4.51': 'decodeJpeg',
  '1.2.840.10008.1.2.4.81': 'decodeJpegLs',
  '1.2.840.10008.1.2.4.91': 'decodeJpeg2000',
  '1.2.840.10008.1.2.4.203': 'decodeHtJpeg2000',
};

export const canDecode = (syntax: string) => syntax in LOSSLESS || syntax in LOSSY;
export const isLossy = (syntax: string) => syntax in LOSSY;

/** Bytes of an uncompressed frame. */
export function frameBytes({ width, height, channels, bitsAllocated, photometric }: Layout): number {
  // Two pixels share their colour: Y1 Y2 Cb Cr.
  return (width * height * (photometric === 'YBR_FULL_422' ? 2 : channels) * bitsAllocated) / 8;
}

/** Stored values [channels, height, width] of an uncompressed frame. */
export function readNative(bytes: Uint8Array, layout: Layout): Float32Array {
  const { channels, highBit, bitsStored, bitsAllocated, photometric, planar } = layout;
  const cells = toCells(bytes, bitsAllocated);
  const shift = highBit + 1 - bitsStored;
  if (photometric === 'YBR_FULL_422') return toRgb(toPlanes(spreadColour(cells), layout, shift), layout);
  const values = planar && channels === 3 ? toValues(cells, layout, shift) : toPlanes(cells, layout, shift);
  return photometric === 'YBR_FULL' ? toRgb(values, layout) : values;
}

/** Stored values [channels, height, width] of a compressed frame. @throws Error where it is broken or not as large as it should be. */
export async function readEncoded(bytes: Uint8Array, layout: Layout, syntax: string): Promise<Float32Array> {
  const decode = (LOSSLESS[syntax] ?? LOSSY[syntax])!;
  const { width, height, channels, bitsAllocated, highBit, bitsStored, photometric } = layout;
  // Imported where it is needed: it brings 4 MB of WebAssembly.
  const { Context, NativeCodecs, log } = (await import('dcmjs-codecs')).default;
  // What it would print is thrown here.
  log.setLevel('silent');
  if (!NativeCodecs.isInitialized()) await NativeCodecs.initializeAsync();
  const context = new Context({
    width,
    height,
    bitsAllocated,
    bitsStored,
    samplesPerPixel: channels,
    pixelRepresentation: layout.signed ? 1 : 0,
    planarConfiguration: 0,
    photometricInterpretation: photometric,
    encodedBuffer: bytes,
  });
  let decoded: InstanceType<typeof Context>;
  try {
    // A JPEG that loses detail keeps colour as YCbCr whatever the attribute says, and says so itself.
    const convertColorspaceToRgb = channels === 3 && (isLossy(syntax) || photometric !== 'RGB');
    decoded = NativeCodecs[decode](context, { convertColorspaceToRgb });
  } catch (error) {
    // The exception left the WebAssembly in the middle of things: the next frame gets a fresh one.
    NativeCodecs.release();
    throw error;
  }
  const data = decoded.getDecodedBuffer()!;
  const count = width * height * channels;
  const bits = (8 * data.length) / count;
  if (decoded.getWidth() !== width || decoded.getHeight() !== height || (bits !== 8 && bits !== 16))
    throw new Error(`${decoded.getWidth()}x${decoded.getHeight()} instead of ${width}x${height}`);
  // Only run lengths keep the cells; the others keep values.
  const values = toPlanes(toCells(data, bits), layout, decode === 'decodeRle' ? highBit + 1 - bitsStored : 0);
  return photometric === 'YBR_FULL' && decode !== 'decodeJpeg' ? toRgb(values, layout) : values;
}

/** Bytes as cells of 8 or 16 bits; a copy where a 16 bit array could not lie on them. */
const toCells = (bytes: Uint8Array, bits: 8 | 16) => (bits === 8 ? bytes : new Uint16Array(new Uint8Array(bytes).buffer));

/** Stored values of cells, in the order of the cells: the bits that count, with their sign. */
function toValues(cells: Uint8Array | Uint16Array, { bitsStored, signed }: Layout, shift: number): Float32Array {
  const mask = 2 ** bitsStored - 1;
  const sign = signed ? 2 ** (bitsStored - 1) : mask + 1;
  const values = new Float32Array(cells.length);
  for (let i = 0; i < cells.length; i++) {
    const value = (cells[i]! >> shift) & mask;
    values[i] = value < sign ? value : value - mask - 1;
  }
  return values;
}

/** The same, from pixel by pixel to planes. */
function toPlanes(cells: Uint8Array | Uint16Array, layout: Layout, shift: number): Float32Array {
  const values = toValues(cells, layout, shift);
  if (layout.channels === 1) return values;
  const plane = layout.width * layout.height;
  const planes = new Float32Array(values.length);
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) planes[c * plane + i] = values[3 * i + c]!;
  return planes;
}

/** Y1 Y2 Cb Cr to Y1 Cb Cr Y2 Cb Cr (PS3.3, C.7.6.3.1.2). */
function spreadColour(cells: Uint8Array | Uint16Array): Uint8Array | Uint16Array {
  const place = [0, 2, 3, 1, 2, 3];
  const out = cells instanceof Uint8Array ? new Uint8Array(cells.length * 1.5) : new Uint16Array(cells.length * 1.5);
  return out.map((_, i) => cells[Math.floor(i / 6) * 4 + place[i % 6]!]!);
}

/** YBR_FULL to RGB, in place: BT.601 over the full range (PS3.3, C.7.6.3.1.2). */
function toRgb(values: Float32Array, { width, height, bitsStored }: Layout): Float32Array {
  const plane = width * height;
  const [middle, most] = [2 ** (bitsStored - 1), 2 ** bitsStored - 1];
  const clamp = (value: number) => Math.min(most, Math.max(0, Math.round(value)));
  for (let i = 0; i < plane; i++) {
    const y = values[i]!;
    const [blue, red] = [values[plane + i]! - middle, values[2 * plane + i]! - middle];
    values[i] = clamp(y + 1.402 * red);
    values[plane + i] = clamp(y - 0.344136 * blue - 0.714136 * red);
    values[2 * plane + i] = clamp(y + 1.772 * blue);
  }
  return values;
}
