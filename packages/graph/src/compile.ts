// From tensors to ONNX: dead code never enters (only what the outputs need is walked), equal expressions are written
// once, and every value gets a name.

import { fuseBlocked } from './convolution-fusion.js';
import { topological } from './gradient.js';
import { type OnnxBranch, type OnnxGraph, type OnnxInitializer, type OnnxNode, writeOnnx } from './onnx.js';
import { type DataType, ELEMENT_TYPES, type Emitter, isInput, type Shape, type Tensor } from './tensor.js';

export interface CompileOptions {
  /** Key-value pairs kept in the file. */
  metadata?: Record<string, string>;
  /**
   * The graph was built for a batch of one, and its first axis is left open under the name `n`. Right wherever the
   * batch stays the first axis, as it does in inference.
   */
  openBatch?: boolean;
  /**
   * The graph was built for one picture, and of inputs and outputs of rank 4 the batch and the sides, the axes 2 and 3, are left open. Right for graphs
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
  const { graph, inputs, outputs: outs } = graphOf(outputs, options);
  return { bytes: writeOnnx({ ...graph, metadata: options.metadata ?? {} }), inputs, outputs: outs, nodes: graph.nodes.length };
}

/**
 * Writes two graphs as one, of which a run does either: a session keeps the memory that it once had, so that two graphs which take turns need it but once, and constants of both
 * are there once. Inputs of a name are one. Each run is fed all of both, and what its graph does not read may hold anything.
 * @param chooser name of an input beside, float32 [1]: not 0 for the first graph, 0 for the second. @param made name of the output, which is the first or the second tensor, both of rank 4.
 * @throws Error as `compile` does, of both graphs together.
 */
export function compileEither(chooser: string, made: string, [first, second]: readonly [Tensor, Tensor], options: CompileOptions = {}): Compiled {
  const constants = new Constants();
  const [one, other] = [graphOf({ [`${made}_1`]: first }, options, constants), graphOf({ [`${made}_0`]: second }, options, constants)];
  const merged = <T extends { name: string }>(...values: readonly T[]): T[] => [...new Map(values.map((value) => [value.name, value])).values()];
  const chosen = `_${chooser}`;
  // What a branch reads and does not make, it finds around it.
  const branch = ({ graph: { nodes, outputs } }: Described): OnnxBranch => ({ nodes, outputs, inputs: [] });
  const chooserValue = { name: chooser, type: 'float32', shape: [1] } as const;
  const known = new Map<string, string>();
  for (const { name, shape } of [...one.inputs, ...other.inputs]) {
    if (constants.has(name)) throw new Error(`compile: '${name}' is a constant's label, and an input's name`);
    if ((known.get(name) ?? String(shape)) !== String(shape) || name === chooser) throw new Error(`compile: two inputs are named '${name}'`);
    known.set(name, String(shape));
  }
  const graph: OnnxGraph = {
    nodes: [
      { type: 'Cast', name: chosen, inputs: [chooser], outputs: [chosen], attributes: { to: ELEMENT_TYPES.bool } },
      { type: 'If', name: made, inputs: [chosen], outputs: [made], attributes: { then_branch: branch(one), else_branch: branch(other) } },
    ],
    initializers: constants.all(),
    inputs: merged(...one.graph.inputs, ...other.graph.inputs, chooserValue),
    outputs: [{ name: made, type: 'float32', shape: [0, 1, 2, 3].map((axis) => `${made}_${axis}`) }],
  };
  return {
    bytes: writeOnnx({ ...graph, metadata: options.metadata ?? {} }),
    inputs: merged(...one.inputs, ...other.inputs, chooserValue),
    outputs: [{ ...other.outputs[0]!, name: made }],
    nodes: one.graph.nodes.length + other.graph.nodes.length,
  };
}

/** The constants of a graph, or of several in one file. */
class Constants {
  readonly contents = new Contents();
  private readonly initializers = new Map<string, OnnxInitializer>();
  private readonly taken = new Set<string>();

  /** Gives a constant's name; that of an equal one, by the key, where there is one. */
  add(type: 'float32' | 'int64', shape: Shape, view: ArrayBufferView, key: string, label?: string): string {
    const known = this.initializers.get(key);
    if (known) return known.name;
    // Two networks in one graph may call their weights alike.
    const name = label === undefined || this.taken.has(label) ? `_c${this.initializers.size}` : label;
    this.taken.add(name);
    this.initializers.set(key, { name, type, shape, data: bytesOf(view) });
    return name;
  }

  has(name: string): boolean {
    return this.taken.has(name);
  }

  all(): OnnxInitializer[] {
    return [...this.initializers.values()];
  }
}

interface Described {
  graph: OnnxGraph;
  inputs: Compiled['inputs'];
  outputs: Compiled['outputs'];
}

function graphOf(outputs: Record<string, Tensor>, options: CompileOptions, constants = new Constants()): Described {
  let nodes: OnnxNode[] = [];
  const emitted = new Map<string, string[]>();
  const names = new Map<Tensor, string>();
  let counter = 0;

  const ints = (values: readonly number[]) =>
    constants.add('int64', [values.length], BigInt64Array.from(values.map(BigInt)), `i${values}`);
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
      const data = values instanceof Float32Array ? values : Float32Array.from(values);
      const key = constants.contents.key(data);
      return constants.add('float32', shape, data, `f${shape}|${label ?? ''}|${key}`, label);
    },
    shape: (shape) => {
      if (options.openSides && shape.length === 4 && shape[2]! * shape[3]! > 1) throw new Error(`compile: the graph names the shape [${shape}], so that its sides cannot be open`);
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
    const key = keyOf(tensor, ids, constants.contents);
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
    if (constants.has(name)) throw new Error(`compile: '${name}' is a constant's label, and an input's or an output's name`);
  for (const name of Object.keys(outputs))
    if (inputs.has(name)) throw new Error(`compile: an input and an output are both named '${name}'`);
  if (options.channelBlock) {
    const kept = new Set(Object.values(outputs).map((tensor) => names.get(tensor)!));
    nodes = fuseBlocked(nodes, kept, new Map([...names].map(([{ shape }, name]) => [name, shape])), emit);
  }
  nameOutputs(nodes, Object.entries(outputs).map(([name, tensor]) => [name, names.get(tensor)!]));
  const open = ({ shape, ...value }: { name: string; type: DataType; shape: Shape }) => {
    const sides = options.openSides && shape.length === 4 ? [`${value.name}_height`, `${value.name}_width`] : shape.slice(2);
    const batch = (options.openBatch && shape.length > 0) || (options.openSides && shape.length === 4);
    return { ...value, shape: batch ? ['n', ...shape.slice(1, 2), ...sides] : shape };
  };
  const [ins, outs] = [described(inputs), described(Object.entries(outputs))];
  return { graph: { nodes, initializers: constants.all(), inputs: ins.map(open), outputs: outs.map(open) }, inputs: ins, outputs: outs };
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
