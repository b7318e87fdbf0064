// From tensors to ONNX: dead code never enters (only what the outputs need is walked), equal expressions are written
// once, and every value gets a name.

import { fuseBlocked } from './convolution-blocked.js';
import { topological } from './gradient.js';
import { type OnnxInitializer, type OnnxModel, type OnnxNode, writeOnnx } from './onnx.js';
import { type DataType, type Emitter, isInput, type Shape, type Tensor } from './tensor.js';

export interface CompileOptions {
  /** Key-value pairs kept in the file. */
  metadata?: Record<string, string>;
  /**
   * The graph was built for a batch of one, and its first axis is left open under the name `n`. Right wherever the
   * batch stays the first axis, as it does in inference.
   */
  openBatch?: boolean;
  /**
   * The graph was built for one picture, and its batch and its sides, the axes 2 and 3, are left open as well. Right for graphs
   * of convolutions and elementwise work, which name no shape.
   */
  openSides?: boolean;
  /** The most inputs one node may have; 6 suits WebGPU. Unlimited by default. */
  maximumInputs?: number;
  /**
   * Channels of a block in the layout of the CPU that the graph is run on at once (`targetOf` in node.ts finds it out). Such
   * a graph is not portable and is not to be kept. 0, the default, writes plain ONNX.
   */
  channelBlock?: number;
}

/** What depends on where a graph is run at once: `targetOf` in node.ts says it of a device. */
export type Target = Pick<CompileOptions, 'maximumInputs' | 'channelBlock'>;

export interface Compiled {
  /** The .onnx file. */
  bytes: Uint8Array;
  inputs: { name: string; type: DataType; shape: Shape }[];
  outputs: { name: string; type: DataType; shape: Shape }[];
  nodes: number;
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** What makes two nodes the same value. Constants compare by their bytes, inputs by their names. */
function keyOf(tensor: Tensor, ids: Map<Tensor, number>, contents: Contents): string {
  const { values, ...rest } = tensor.attributes as { values?: Float32Array };
  const data = values ? contents.key(values) : '';
  return `${tensor.primitive.name}|${tensor.type}|${tensor.shape}|${JSON.stringify(rest)}|${data}|${tensor.inputs.map((t) => ids.get(t))}`;
}

/** Constants that are compared by their bytes; longer ones are told apart by identity, for they are rarely equal. */
const COMPARED = 16384;

/** Short keys for constants of one graph. */
class Contents {
  private readonly byHash = new Map<number, Float32Array[]>();
  private readonly numbers = new Map<Float32Array, number>();

  key(values: Float32Array): string {
    return `#${this.numberOf(values)}`;
  }

  private numberOf(values: Float32Array): number {
    const known = this.numbers.get(values);
    if (known !== undefined) return known;
    const number = this.numbers.get(this.alike(values) ?? values) ?? this.numbers.size;
    this.numbers.set(values, number);
    return number;
  }

  /** An earlier one of the same bytes. */
  private alike(values: Float32Array): Float32Array | undefined {
    if (values.length > COMPARED) return undefined;
    const words = wordsOf(values);
    const hash = hashOf(words);
    const others = this.byHash.get(hash) ?? [];
    const same = others.find((other) => other.length === values.length && wordsOf(other).every((word, i) => word === words[i]));
    if (!same) this.byHash.set(hash, [...others, values]);
    return same;
  }
}

const wordsOf = (values: Float32Array): Int32Array => new Int32Array(values.buffer, values.byteOffset, values.length);

/** MurmurHash3 (Appleby, 2011) of 32 bits, without its last steps. */
function hashOf(words: Int32Array): number {
  let hash = words.length;
  for (let i = 0; i < words.length; i++) {
    let word = Math.imul(words[i]!, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    hash ^= word;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  return hash;
}

/**
 * Writes the graph that computes `outputs` (named by their keys) from its inputs.
 * @throws Error where two inputs share a name but not a shape, or a name begins with '_', as the file's own do.
 */
export function compile(outputs: Record<string, Tensor>, options: CompileOptions = {}): Compiled {
  let nodes: OnnxNode[] = [];
  const emitted = new Map<string, string[]>();
  const initializers = new Map<string, OnnxInitializer>();
  const names = new Map<Tensor, string>();
  let counter = 0;
  const contents = new Contents();

  const taken = new Set<string>();
  const initializer = (type: 'float32' | 'int64', shape: Shape, view: ArrayBufferView, key: string, label?: string): string => {
    const known = initializers.get(key);
    if (known) return known.name;
    // Two networks in one graph may call their weights alike.
    const name = label === undefined || taken.has(label) ? `_c${initializers.size}` : label;
    taken.add(name);
    initializers.set(key, { name, type, shape, data: bytesOf(view) });
    return name;
  };
  const ints = (values: readonly number[]) =>
    initializer('int64', [values.length], BigInt64Array.from(values.map(BigInt)), `i${values}`);
  const outputsOf = (type: string, inputs: string[], attributes: OnnxNode['attributes'], domain: string, count: number): string[] => {
    const key = JSON.stringify([domain, type, inputs, attributes]);
    const known = emitted.get(key);
    if (known) return known;
    const name = `_${type.toLowerCase()}_${counter++}`;
    const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}_${i}`));
    nodes.push({ type, name, inputs, outputs, attributes, ...(domain ? { domain } : {}) });
    emitted.set(key, outputs);
    return outputs;
  };
  const emit: Emitter = {
    of: (tensor) => names.get(tensor)!,
    node: (type, inputs, attributes = {}, domain = '') => outputsOf(type, inputs, attributes, domain, 1)[0]!,
    nodes: (type, inputs, attributes, count) => outputsOf(type, inputs, attributes, '', count),
    ints,
    floats: (values, shape, label) => {
      const data = Float32Array.from(values);
      return initializer(
        'float32',
        shape,
        data,
        `f${shape}|${label ?? ''}|${contents.key(values instanceof Float32Array ? values : data)}`,
        label,
      );
    },
    shape: (shape) => {
      if (options.openSides && shape.length === 4) throw new Error(`compile: the graph names the shape [${shape}], so that its sides cannot be open`);
      return ints(options.openBatch && shape.length > 0 ? [-1, ...shape.slice(1)] : shape);
    },
    maximumInputs: options.maximumInputs ?? Number.POSITIVE_INFINITY,
    channelBlock: options.channelBlock ?? 0,
  };

  // Common subexpressions: the first tensor with a key stands for all.
  const ids = new Map<Tensor, number>();
  const first = new Map<string, Tensor>();
  const inputs = new Map<string, Tensor>();
  for (const tensor of topological(Object.values(outputs))) {
    const key = keyOf(tensor, ids, contents);
    const twin = first.get(key);
    if (twin) {
      ids.set(tensor, ids.get(twin)!);
      names.set(tensor, names.get(twin)!);
      continue;
    }
    first.set(key, tensor);
    ids.set(tensor, ids.size);
    if (isInput(tensor)) {
      const name = tensor.attributes.name as string;
      if (inputs.has(name)) throw new Error(`compile: two inputs are named '${name}', with different shapes`);
      inputs.set(name, tensor);
    }
    names.set(tensor, tensor.primitive.lower(tensor, emit));
  }

  const described = (entries: Iterable<[string, Tensor]>) =>
    [...entries].map(([name, { type, shape }]) => ({ name, type, shape }));
  for (const name of [...inputs.keys(), ...Object.keys(outputs)])
    if (name.startsWith('_')) throw new Error(`compile: '${name}' begins with '_', as the file's own names do`);
  for (const name of [...inputs.keys(), ...Object.keys(outputs)])
    if (taken.has(name)) throw new Error(`compile: '${name}' is a constant's label, and an input's or an output's name`);
  for (const name of Object.keys(outputs))
    if (inputs.has(name)) throw new Error(`compile: an input and an output are both named '${name}'`);
  if (options.channelBlock) nodes = fuseBlocked(nodes, new Set(Object.values(outputs).map((tensor) => names.get(tensor)!)));
  nameOutputs(nodes, Object.entries(outputs).map(([name, tensor]) => [name, names.get(tensor)!]));
  const open = ({ shape, ...value }: { name: string; type: DataType; shape: Shape }) => {
    const sides = options.openSides && shape.length === 4 ? [`${value.name}_height`, `${value.name}_width`] : shape.slice(2);
    const batch = (options.openBatch || options.openSides) && shape.length > 0;
    return { ...value, shape: batch ? ['n', ...shape.slice(1, 2), ...sides] : shape };
  };
  const [ins, outs] = [described(inputs), described(Object.entries(outputs))];
  const model: OnnxModel = {
    nodes,
    initializers: [...initializers.values()],
    inputs: ins.map(open),
    outputs: outs.map(open),
    metadata: options.metadata ?? {},
  };
  return { bytes: writeOnnx(model), inputs: ins, outputs: outs, nodes: nodes.length };
}

/**
 * Gives the graph's outputs their names. The node that computes one takes its name, so that the runtime writes where the
 * caller wants it; an output that is an input, a constant or another output's twin is copied.
 */
function nameOutputs(nodes: OnnxNode[], wanted: [output: string, value: string][]): void {
  const computed = new Set(nodes.flatMap((node) => node.outputs));
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  for (const [output, value] of wanted) {
    if (computed.has(value) && !renamed.has(value)) renamed.set(value, output);
    else copies.push({ type: 'Identity', name: `out_${output}`, inputs: [value], outputs: [output], attributes: {} });
  }
  nodes.push(...copies);
  const current = (name: string) => renamed.get(name) ?? name;
  for (const node of nodes) {
    node.inputs = node.inputs.map(current);
    node.outputs = node.outputs.map(current);
  }
}
