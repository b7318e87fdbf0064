// Pixel shuffle (Shi et al., Real-time single image and video super-resolution, 2016): channels become pixels and back. Both
// are ONNX operators that ask for no shape, so that graphs with them take pictures of any size.
//
// Channels stand in the order of ONNX's DCR mode: channel (i r + j) c + k of the small picture is channel k of the large one
// at row i, column j of every r by r block. Each of the two is the other's inverse and transpose, and so its gradient.

import { type Primitive, Tensor } from './tensor.js';

const SHUFFLE: Primitive = {
  name: 'pixelShuffle',
  gradient: (node, upstream) => [pixelUnshuffle(upstream, node.attributes.factor as number)],
  lower: (node, emit) => emit.node('DepthToSpace', [emit.of(node.input(0))], { blocksize: node.attributes.factor as number, mode: 'DCR' }),
};

const UNSHUFFLE: Primitive = {
  name: 'pixelUnshuffle',
  gradient: (node, upstream) => [pixelShuffle(upstream, node.attributes.factor as number)],
  lower: (node, emit) => emit.node('SpaceToDepth', [emit.of(node.input(0))], { blocksize: node.attributes.factor as number }),
};

/** x [n, factor^2 c, h, w] -> [n, c, factor h, factor w]. @throws RangeError where the channels do not divide. */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (x.rank !== 4 || c % factor ** 2 !== 0) throw new RangeError(`pixelShuffle: [${x.shape}] has not a multiple of ${factor ** 2} channels`);
  return new Tensor(SHUFFLE, [x], [n, c / factor ** 2, h * factor, w * factor], x.type, { factor });
}

/** x [n, c, factor h, factor w] -> [n, factor^2 c, h, w]. @throws RangeError where the sides do not divide. */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (x.rank !== 4 || h % factor !== 0 || w % factor !== 0) throw new RangeError(`pixelUnshuffle: the sides of [${x.shape}] are no multiples of ${factor}`);
  return new Tensor(UNSHUFFLE, [x], [n, c * factor ** 2, h / factor, w / factor], x.type, { factor });
}
