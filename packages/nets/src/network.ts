// One network, one vector: all weights of a network are one flat float32 vector with a table of names, shapes and
// offsets. A network is a plain function that asks for its weights by name; tracing it once makes the table.

import { concat, constant, gradient, input, reshape, type Shape, sizeOf, sliceAxis, type Tensor } from '@zeuxis/graph';
import type { Random } from './random.js';

export interface Weight {
  name: string;
  shape: Shape;
  /** First value in the flat vector. */
  offset: number;
  /** Standard deviation of the normal distribution it starts from; 0 starts at zero. */
  deviation: number;
  /** Mean of that distribution. */
  mean: number;
}

/** Gives a network's function its weights. Asking twice for a name gives the same tensor: weights may be shared. */
export interface Weights {
  get(name: string, shape: Shape, deviation: number, mean?: number): Tensor;
}

/** A network's weights cut out of a vector, and the gradient with respect to them joined to a vector again. */
export interface Bound {
  weights: Weights;
  /** The gradient of a loss with respect to the whole vector, [size]. */
  gradient(loss: Tensor): Tensor;
}

export class Network<Arguments extends unknown[]> {
  readonly table: Weight[] = [];
  readonly size: number;

  /** `sample` gives arguments of the right shapes, for the tracing alone. */
  constructor(
    readonly build: (weights: Weights, ...args: Arguments) => Tensor,
    sample: Arguments,
  ) {
    const seen = new Map<string, Tensor>();
    let offset = 0;
    build(
      {
        get: (name, shape, deviation, mean = 0) => {
          const known = seen.get(name);
          if (known) return known;
          this.table.push({ name, shape, offset, deviation, mean });
          offset += sizeOf(shape);
          const tensor = input(`weight:${name}`, shape);
          seen.set(name, tensor);
          return tensor;
        },
      },
      ...sample,
    );
    this.size = offset;
  }

  /** @param taught leave out weights that stay as they are: their gradient is 0, and is not computed. */
  bind(vector: Tensor, taught: (name: string) => boolean = () => true): Bound {
    if (vector.size !== this.size)
      throw new RangeError(`this network has ${this.size} weights, the vector holds ${vector.size}`);
    const parts = new Map(
      this.table.map(({ name, shape, offset }) => [name, reshape(sliceAxis(vector, 0, offset, sizeOf(shape)), shape)]),
    );
    return {
      weights: { get: (name) => parts.get(name)! },
      gradient: (loss) => {
        const names = [...parts.keys()].filter(taught);
        const slopes = new Map(gradient(loss, names.map((name) => parts.get(name)!)).map((slope, i) => [names[i]!, reshape(slope, [-1])]));
        return concat([...parts].map(([name, { size }]) => slopes.get(name) ?? constant(new Float32Array(size))), 0);
      },
    };
  }

  /** The weights as constants, for a model file, where they keep their names. */
  freeze(vector: Float32Array): Weights {
    const parts = new Map(
      this.table.map(({ name, shape, offset }) => [
        name,
        constant(vector.subarray(offset, offset + sizeOf(shape)), shape, name),
      ]),
    );
    return { get: (name) => parts.get(name)! };
  }

  /** The vector of weights as a model file's constants hold them; undefined where they are not this network's. */
  thaw(constants: ReadonlyMap<string, Float32Array>): Float32Array | undefined {
    const vector = new Float32Array(this.size);
    for (const { name, shape, offset } of this.table) {
      const values = constants.get(name);
      if (values?.length !== sizeOf(shape)) return undefined;
      vector.set(values, offset);
    }
    return vector;
  }

  /** Weights to start from. */
  initialise(random: Random): Float32Array {
    const vector = new Float32Array(this.size);
    for (const { shape, offset, deviation, mean } of this.table) {
      const values = deviation === 0 ? new Float32Array(sizeOf(shape)) : random.normals(sizeOf(shape));
      vector.set(
        values.map((v) => v * deviation + mean),
        offset,
      );
    }
    return vector;
  }
}
