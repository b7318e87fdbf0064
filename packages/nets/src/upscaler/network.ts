// Networks that enlarge pictures: convolutions at the small size, and a pixel shuffle at the end (Shi et al., 2016).

import { add, addBias, concat, leakyRelu, pixelShuffle, type Tensor } from '@zeuxis/graph';
import { convolution } from '../layers.js';
import type { Weights } from '../network.js';

export interface Variant { width: number; blocks: number; body: 'rlf' | 'res' | 'span'; slope: number }

const same = (p: Weights, name: string, x: Tensor, out: number, gain: number) =>
  addBias(convolution(p, name, x, out, 3, { padding: 1, gain }), p.get(`${name}.bias`, [out], 0));

export const upscalerNetwork = (scale: number, v: Variant) => (p: Weights, x: Tensor): Tensor => {
  const gain = Math.sqrt(2 / (1 + v.slope ** 2));
  const act = (t: Tensor) => leakyRelu(t, v.slope);
  const head = same(p, 'head', x, v.width, 1.5);
  let y = head;
  for (let i = 0; i < v.blocks; i++) {
    const n = v.body === 'rlf' ? 3 : 2;
    let z = y;
    for (let k = 0; k < n; k++) {
      const last = k === n - 1;
      z = same(p, `block${i}.${k}`, z, v.width, last ? 0.3 : gain);
      if (!last || v.body === 'rlf') z = act(z);
    }
    y = add(y, z);
  }
  y = add(same(p, 'join', y, v.width, 0.5), head);
  const detail = same(p, 'tail', y, x.extent(1) * scale ** 2, 0.2);
  return pixelShuffle(add(detail, concat(Array.from({ length: scale ** 2 }, () => x), 1)), scale);
};
