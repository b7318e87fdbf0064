// A symbolic tensor: a node of the graph, with a static shape and the primitive that makes it.

export type DataType = 'float32' | 'int64' | 'uint8' | 'bool';
/** TensorProto.DataType of onnx.proto. */
export const ELEMENT_TYPES: Record<DataType, number> = { float32: 1, uint8: 2, int64: 7, bool: 9 };
export type Shape = readonly number[];
export type Attributes = Readonly<Record<string, unknown>>;

/** What a lowering may ask of the ONNX graph under construction. Names are ONNX value names. */
export interface Emitter {
  /** The ONNX name of a tensor that has been emitted already. */
  of(tensor: Tensor): string;
  /** Adds a node with one output, unless there is its equal, and returns the output's name. ONNX's own domain by default. */
  node(type: string, inputs: string[], attributes?: Record<string, number | string | number[]>, domain?: string): string;
  /** A node with several outputs, and their names. */
  nodes(type: string, inputs: string[], attributes: Record<string, number | string | number[]>, count: number): string[];
  /** An int64 initializer of rank one. */
  ints(values: readonly number[]): string;
  /** A float32 initializer; its name is the label, where that is free. */
  floats(values: Float32Array | readonly number[], shape: Shape, label?: string): string;
  /** A shape operand for Reshape; its first axis is left to be inferred where the batch is dynamic. */
  shape(shape: Shape): string;
  /** The most inputs one node may have (WebGPU binds about ten buffers a shader). */
  readonly maximumInputs: number;
  /** Channels of a block in the runtime's blocked layout; 0 where there is none, or the graph is to be kept. */
  readonly channelBlock: number;
}

/** One operation: how it differentiates and how it is written in ONNX. Its constructor function is the shape rule. */
export interface Primitive {
  readonly name: string;
  /** Cotangents of the inputs, given the node and the cotangent of its output; undefined where none flows. */
  gradient?(node: Tensor, upstream: Tensor): (Tensor | undefined)[];
  lower(node: Tensor, emit: Emitter): string;
}

let nextId = 0;

export class Tensor {
  readonly id = nextId++;
  readonly size: number;

  constructor(
    readonly primitive: Primitive,
    readonly inputs: readonly Tensor[],
    readonly shape: Shape,
    readonly type: DataType = 'float32',
    readonly attributes: Attributes = {},
  ) {
    for (const extent of shape)
      if (!Number.isInteger(extent) || extent < 1)
        throw new RangeError(`${primitive.name}: a shape holds whole numbers from 1, not [${shape}]`);
    this.size = sizeOf(shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Extent of an axis; negative axes count from the end. */
  extent(axis: number): number {
    return this.shape.at(axis)!;
  }

  input(index: number): Tensor {
    return this.inputs[index]!;
  }
}

export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i]);

/** NumPy broadcasting of two shapes. @throws RangeError naming both where they do not agree. */
export function broadcastShapes(a: Shape, b: Shape, name: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const m = a[i - rank + a.length] ?? 1;
    const n = b[i - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw new RangeError(`${name}: shapes [${a}] and [${b}] do not broadcast`);
    return Math.max(m, n);
  });
}

const inputPrimitive: Primitive = {
  name: 'input',
  lower: (node) => node.attributes.name as string,
};

/** A value fed at every run, known to sessions by its name. */
export function input(name: string, shape: Shape, type: DataType = 'float32'): Tensor {
  return new Tensor(inputPrimitive, [], shape, type, { name });
}

export const isInput = (tensor: Tensor): boolean => tensor.primitive === inputPrimitive;

const constantPrimitive: Primitive = {
  name: 'constant',
  lower: (node, emit) => emit.floats(node.attributes.values as Float32Array, node.shape, node.attributes.label as string | undefined),
};

/** A value fixed when the graph is written; a bare number makes a scalar of shape []. @param label its name in the file, where that is free. */
export function constant(values: number | Float32Array | readonly number[], shape?: Shape, label?: string): Tensor {
  // Copied as a block where it can be: `from` goes value by value.
  const data = typeof values === 'number' ? Float32Array.of(values) : values instanceof Float32Array ? values.slice() : Float32Array.from(values);
  const dims = shape ?? (typeof values === 'number' ? [] : [data.length]);
  if (sizeOf(dims) !== data.length)
    throw new RangeError(`constant: shape [${dims}] holds ${sizeOf(dims)} values, ${data.length} were given`);
  return new Tensor(constantPrimitive, [], dims, 'float32', { values: data, ...(label === undefined ? {} : { label }) });
}

/** The value of a constant scalar, or undefined for any other tensor. */
export function scalarValue(tensor: Tensor): number | undefined {
  if (tensor.primitive !== constantPrimitive || tensor.size !== 1) return undefined;
  return (tensor.attributes.values as Float32Array)[0];
}

export type Operand = Tensor | number;
export const lift = (value: Operand): Tensor => (typeof value === 'number' ? constant(value) : value);
