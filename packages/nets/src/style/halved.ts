// Convolutions of a picture as convolutions of it at half its sides, whose channels are its pixels two by two (`pixelShuffle`): a picture of few
// channels leaves most of a processor's lanes empty, and four times as many fill them. In place of an enlarged picture with 32 channels, none is made.

/** Share of each row of a small picture, from the one above on, in an enlarged one's row of that distance from the small one's first: bilinear, with pixel centres kept. */
const ENLARGED: Record<number, readonly [number, number, number]> = { [-1]: [0.75, 0.25, 0], 0: [0.25, 0.75, 0], 1: [0, 0.75, 0.25], 2: [0, 0.25, 0.75] };
/** The two by two pixels of a small one, row by row. */
const PIXELS = [[0, 0], [0, 1], [1, 0], [1, 1]] as const;

/**
 * Enlargement by two (`enlarge`) and a 3x3 convolution after it as one convolution of the small picture, [out, width, 3, 3] -> [4 out, width, 3, 3], whose result is
 * to be shuffled; the outermost pixels come out otherwise.
 */
export function enlargingKernel(kernel: Float32Array, out: number, width: number): Float32Array {
  const made = new Float32Array(4 * kernel.length);
  for (const [pixel, [a, b]] of PIXELS.entries())
    for (let dy = 0; dy < 3; dy++)
      for (let dx = 0; dx < 3; dx++) {
        const [down, across] = [ENLARGED[a + dy - 1]!, ENLARGED[b + dx - 1]!];
        for (let place = 0; place < 9; place++) {
          const share = down[Math.floor(place / 3)]! * across[place % 3]!;
          if (share > 0) for (let i = 0; i < out * width; i++) made[pixel * kernel.length + 9 * i + place]! += share * kernel[9 * i + 3 * dy + dx]!;
        }
      }
  return made;
}

/** A 5x5 convolution of a shuffled picture as one of the picture before that, [out, width, 5, 5] -> [4 out, 4 width, 3, 3], whose result is to be shuffled. */
export function shuffledKernel(kernel: Float32Array, out: number, width: number): Float32Array {
  const made = new Float32Array(4 * out * 4 * width * 9);
  for (const [pixel, [a, b]] of PIXELS.entries())
    for (let dy = 0; dy < 5; dy++)
      for (let dx = 0; dx < 5; dx++) {
        const [row, column] = [a + dy - 2, b + dx - 2];
        const [y, x] = [Math.floor(row / 2), Math.floor(column / 2)];
        const from = 2 * (row - 2 * y) + column - 2 * x;
        for (let o = 0; o < out; o++)
          for (let i = 0; i < width; i++) made[((pixel * out + o) * 4 * width + from * width + i) * 9 + 3 * (y + 1) + x + 1] = kernel[(o * width + i) * 25 + 5 * dy + dx]!;
      }
  return made;
}
