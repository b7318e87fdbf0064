// What lies between convolutions in blocked layout: most of it can stay in blocks, or be a convolution's own last step. ONNX Runtime's optimiser does as much for
// convolutions that it brought into blocks itself, and nothing for those that were written so (convolution-blocked.ts).

import { BLOCKED_DOMAIN, filled } from './convolution-blocked.js';
import type { OnnxNode } from './onnx.js';
import type { Emitter, Shape } from './tensor.js';

/** Zero stays zero under these, so that the channels which fill the blocks stay empty. */
const ACTIVATIONS = new Set(['Relu', 'LeakyRelu']);

/** Bilinear enlargement by two, as `enlarge` is written. */
const ENLARGING = { scales: [1, 1, 2, 2], mode: 'linear', coordinate_transformation_mode: 'half_pixel' };

/**
 * The same nodes with less passing to and fro: what was brought out of blocks is not brought into them again, and activations, sums, enlargements
 * and inner parts of values in blocks stay in them; what can be a convolution's own last step is.
 * @param kept values that someone else reads. @param shapes of values outside of blocks, by their names, as far as they are known.
 */
export function fuseBlocked(nodes: readonly OnnxNode[], kept: ReadonlySet<string>, shapes: ReadonlyMap<string, Shape>, emit: Pick<Emitter, 'ints' | 'channelBlock'>): OnnxNode[] {
  return folded(stayingInBlocks(nodes, kept, shapes, emit), kept);
}

function readersOf(nodes: readonly OnnxNode[]): Map<string, number> {
  const readers = new Map<string, number>();
  for (const { inputs } of nodes) for (const name of inputs) readers.set(name, (readers.get(name) ?? 0) + 1);
  return readers;
}

function stayingInBlocks(nodes: readonly OnnxNode[], kept: ReadonlySet<string>, shapes: ReadonlyMap<string, Shape>, emit: Pick<Emitter, 'ints' | 'channelBlock'>): OnnxNode[] {
  const readers = readersOf(nodes);
  /** Values in blocks, and how many of their channels are filled, by the names of their counterparts outside. */
  const blocks = new Map<string, { inside: string; channels: number }>();
  /** Values that are brought into blocks. */
  const entering = new Set(nodes.filter(({ type }) => type === 'ReorderInput').map(({ inputs }) => inputs[0]!));
  /** Values that are others under a second name. */
  const same = new Map<string, string>();
  const moved: OnnxNode[] = [];
  for (const node of nodes) {
    const { type, inputs, outputs, attributes } = node;
    const inside = inputs.map((name) => blocks.get(name)?.inside);
    const [outside, made] = [inputs[0]!, outputs[0]!];
    if (type === 'Resize' && inside[0] === undefined && entering.has(made) && readers.get(made) === 1 && shapes.has(outside)) {
      // What is to be brought into blocks is a quarter as much before.
      const within = `${made}_in`;
      moved.push({ type: 'ReorderInput', name: within, inputs: [outside], outputs: [within], attributes: {}, domain: BLOCKED_DOMAIN });
      blocks.set(outside, { inside: within, channels: shapes.get(outside)![1]! });
      inside[0] = within;
    }
    if (type === 'ReorderInput' && inside[0] !== undefined) {
      same.set(made, inside[0]);
      continue;
    }
    const alone = readers.get(outside) === 1 && !kept.has(outside);
    const alike = () => inputs.every((name) => shapes.has(name) && String(shapes.get(name)) === String(shapes.get(outside)));
    const blocked: Omit<OnnxNode, 'name' | 'outputs'> | undefined =
      ACTIVATIONS.has(type) && inside[0] !== undefined && alone ? { type, inputs: [inside[0]], attributes }
      : type === 'Add' && inside[0] !== undefined && inside[1] !== undefined && alike() ? { type, inputs: [inside[0], inside[1]], attributes }
      : type === 'Resize' && inside[0] !== undefined && alone ? { type: 'Upsample', inputs: [inside[0]], attributes: ENLARGING, domain: BLOCKED_DOMAIN }
      : undefined;
    const cut = inside[0] !== undefined && cutsSidesAlone(node, shapes);
    if (!blocked && !cut) moved.push({ ...node, inputs: inputs.map((name) => same.get(name) ?? name) });
    if (type === 'ReorderOutput') blocks.set(made, { inside: outside, channels: attributes.channels as number });
    if (!blocked && !cut) continue;
    const { channels } = blocks.get(outside)!;
    const within = `${made}_blocks`;
    if (blocked) moved.push({ ...blocked, name: within, outputs: [within] });
    else moved.push(...cutInBlocks(node, inside[0]!, filled(channels, emit.channelBlock), within, emit));
    moved.push({ type: 'ReorderOutput', name: `${made}_out`, inputs: [within], outputs: [made], attributes: { channels }, domain: BLOCKED_DOMAIN });
    blocks.set(made, { inside: within, channels });
  }
  const read = readersOf(moved);
  return moved.filter(({ type, outputs }) => type !== 'ReorderOutput' || read.has(outputs[0]!) || kept.has(outputs[0]!));
}

/** Whether a node takes a part of pictures, all channels of it. What turns them about is a `Slice` too, and leaves them as large. */
function cutsSidesAlone({ type, inputs, outputs }: OnnxNode, shapes: ReadonlyMap<string, Shape>): boolean {
  const [from, to] = [shapes.get(inputs[0]!), shapes.get(outputs[0]!)];
  return type === 'Slice' && from?.length === 4 && to !== undefined && String(from.slice(0, 2)) === String(to.slice(0, 2)) && String(from) !== String(to);
}

/** Values in blocks are declared to be [n, channels, h, w] and lie as [n, blocks, h, w, block]: as such they are cut. */
function cutInBlocks({ inputs }: OnnxNode, whole: string, channels: number, within: string, { ints, channelBlock }: Pick<Emitter, 'ints' | 'channelBlock'>): OnnxNode[] {
  const [lying, cut] = [`${within}_lying`, `${within}_cut`];
  const node = (type: string, operands: string[], name: string): OnnxNode => ({ type, name, inputs: operands, outputs: [name], attributes: {} });
  // To `Reshape` a 0 is the extent that was there.
  return [
    node('Reshape', [whole, ints([0, channels / channelBlock, 0, 0, channelBlock])], lying),
    node('Slice', [lying, ...inputs.slice(1)], cut),
    node('Reshape', [cut, ints([0, channels, 0, 0])], within),
  ];
}

/** Activations and sums that alone read a convolution in blocks become its own: a pass over the pictures less. */
function folded(nodes: readonly OnnxNode[], kept: ReadonlySet<string>): OnnxNode[] {
  const readers = readersOf(nodes);
  /** Convolutions that nothing was folded into yet, and which of the nodes that are left they are, by their outputs. */
  const open = new Map<string, number>();
  const left: (OnnxNode | undefined)[] = [];
  /** The open convolution behind a value, which is then no longer where it was. */
  const taken = (name: string): OnnxNode | undefined => {
    const at = open.get(name);
    if (at === undefined || readers.get(name) !== 1 || kept.has(name)) return undefined;
    const conv = left[at];
    left[at] = undefined;
    return conv;
  };
  for (const node of nodes) {
    const { type, inputs, outputs, attributes } = node;
    let next = node;
    let last = type !== 'Conv' || node.domain !== BLOCKED_DOMAIN;
    if (ACTIVATIONS.has(type)) {
      const conv = taken(inputs[0]!);
      const parameters = type === 'LeakyRelu' ? { activation_params: [attributes.alpha as number] } : {};
      if (conv) next = { ...conv, outputs, attributes: { ...conv.attributes, activation: type, ...parameters } };
    } else if (type === 'Add') {
      for (const [i, other] of [[1, 0], [0, 1]] as const) {
        const conv = taken(inputs[i]!);
        if (!conv) continue;
        const [x, kernel, bias = ''] = conv.inputs;
        next = { ...conv, inputs: [x!, kernel!, bias, inputs[other]!], outputs };
        last = false;
        break;
      }
    }
    left.push(next);
    if (!last) open.set(outputs[0]!, left.length - 1);
  }
  return left.filter((node) => node !== undefined);
}
