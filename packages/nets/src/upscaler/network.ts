// Networks that enlarge pictures. All work is done at the small size, by 3x3 convolutions in residual blocks of three (Kong et
// al., RLFN, 2022, without its attention), and a pixel shuffle at the end makes the large picture of it (Shi et al., ESPCN,
// 2016). What it makes is added to the small picture with every pixel repeated, so that the network has only detail to draw
// (Du et al., ABPN, 2021).
//
// Nothing in it knows how large a picture is, and every output depends on a small window of the input: pictures of any size
// pass in tiles that overlap by `margin`, to the same result.

import { add, addBias, concat, input, leakyRelu, pixelShuffle, type Tensor } from '@zeuxis/graph';
import { convolution } from '../layers.js';
import { Network, type Weights } from '../network.js';
import { type Composed, composedNetwork } from './composed.js';

export const UPSCALER_PRESETS = ['fast', 'best'] as const;
export type UpscalerPreset = (typeof UPSCALER_PRESETS)[number];
export const SCALES = [2, 3, 4] as const;

export interface UpscalerShape {
  preset: UpscalerPreset;
  scale: number;
  /** 3 for colours, 1 for grey. */
  channels: 1 | 3;
}

export interface Upscaler {
  shape: UpscalerShape;
  /** x [n, channels, h, w], black 0 to white 1 -> [n, channels, scale h, scale w]. */
  network: Network<[Tensor]>;
  /** What is trained in its place: the same function, with more weights to reach it by. */
  training: Composed;
  /** Pixels of the small picture, on each side, that an output pixel depends on: the number of convolutions. */
  margin: number;
}

const SLOPE = 0.1;
const GAIN = Math.sqrt(2 / (1 + SLOPE ** 2));
const CONVOLUTIONS = 3;
/** Channels are whole blocks of ONNX Runtime's layout. At scale 2 a pixel in gives four out, so that less may be spent on each. */
const sizeOf = (preset: UpscalerPreset, scale: number): { width: number; blocks: number } =>
  preset === 'fast' ? { width: 32, blocks: 3 } : { width: 48, blocks: scale === 2 ? 3 : 4 };

const same = (p: Weights, name: string, x: Tensor, out: number, gain: number): Tensor =>
  addBias(convolution(p, name, x, out, 3, { padding: 1, gain }), p.get(`${name}.bias`, [out], 0));

/** @throws RangeError for a preset or scale that there is none of. */
export function defineUpscaler(shape: UpscalerShape): Upscaler {
  const { preset, scale, channels } = shape;
  if (!UPSCALER_PRESETS.includes(preset)) throw new RangeError(`there is no preset '${preset}'; choose ${UPSCALER_PRESETS.join(' or ')}`);
  if (!(SCALES as readonly number[]).includes(scale)) throw new RangeError(`there is no network for scale ${scale}; choose ${SCALES.join(', ')}`);
  const { width, blocks } = sizeOf(preset, scale);
  const build = (p: Weights, x: Tensor): Tensor => {
    const head = same(p, 'head', x, width, 1.5);
    let y = head;
    for (let i = 0; i < blocks; i++) {
      let z = y;
      // The last of a block starts small, so that the network starts near its plain path.
      for (let k = 0; k < CONVOLUTIONS; k++) z = leakyRelu(same(p, `block${i}.${k}`, z, width, k < CONVOLUTIONS - 1 ? GAIN : 0.3), SLOPE);
      y = add(y, z);
    }
    const joined = add(same(p, 'join', y, width, 0.5), head);
    const detail = same(p, 'tail', joined, channels * scale ** 2, 0.2);
    return pixelShuffle(add(detail, concat(Array.from({ length: scale ** 2 }, () => x), 1)), scale);
  };
  const sample = input('small', [1, channels, 8, 8]);
  const network = new Network(build, [sample]);
  return { shape, network, training: composedNetwork(network, /^block.*weight$/, sample), margin: 3 + CONVOLUTIONS * blocks };
}
