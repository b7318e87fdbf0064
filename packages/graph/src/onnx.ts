// Writing and reading ONNX files: the part of onnx.proto (IR version 8) that Zeuxis uses. Protocol buffers' wire format
// is @bufbuild/protobuf's; field numbers are those of github.com/onnx/onnx/blob/main/onnx/onnx.proto.

import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type DataType, ELEMENT_TYPES } from './tensor.js';

const IR_VERSION = 8;
const OPSET = 17;

export type OnnxAttribute = number | string | number[] | OnnxBranch;
export interface OnnxNode {
  type: string;
  name: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, OnnxAttribute>;
  /** Of the operator; ONNX's own by default. */
  domain?: string;
}
export interface OnnxInitializer {
  name: string;
  type: 'float32' | 'int64';
  shape: readonly number[];
  data: Uint8Array;
}
/** A dimension is a number or, where it is left open, a name. */
export interface OnnxValue {
  name: string;
  type: DataType;
  shape: readonly (number | string)[];
}
/** A graph within a graph, whose constants are the outer one's. */
export interface OnnxBranch {
  nodes: OnnxNode[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}
export interface OnnxGraph extends OnnxBranch {
  initializers: OnnxInitializer[];
}
export interface OnnxModel extends OnnxGraph {
  metadata: Record<string, string>;
}

/** ONNX spells these attributes as floats even where the value is whole. */
const FLOAT_ATTRIBUTES = new Set(['alpha', 'beta', 'epsilon', 'activation_params']);

/** A message within: in the same buffer, for copies of weights at every level take longer than all the rest. */
const nested = (writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void) => {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
};
const text = (writer: BinaryWriter, field: number, value: string) =>
  writer.tag(field, WireType.LengthDelimited).string(value);

function writeAttribute(writer: BinaryWriter, name: string, value: OnnxAttribute): void {
  text(writer, 1, name);
  if (typeof value === 'string') {
    writer.tag(4, WireType.LengthDelimited).bytes(new TextEncoder().encode(value));
    writer.tag(20, WireType.Varint).int32(3);
  } else if (Array.isArray(value)) {
    const whole = !FLOAT_ATTRIBUTES.has(name);
    for (const item of value) whole ? writer.tag(8, WireType.Varint).int64(item) : writer.tag(7, WireType.Bit32).float(item);
    writer.tag(20, WireType.Varint).int32(whole ? 7 : 6);
  } else if (typeof value === 'object') {
    nested(writer, 6, (inner) => writeBranch(inner, value));
    writer.tag(20, WireType.Varint).int32(5);
  } else if (FLOAT_ATTRIBUTES.has(name)) {
    writer.tag(2, WireType.Bit32).float(value);
    writer.tag(20, WireType.Varint).int32(1);
  } else {
    writer.tag(3, WireType.Varint).int64(value);
    writer.tag(20, WireType.Varint).int32(2);
  }
}

function writeValue(writer: BinaryWriter, value: OnnxValue): void {
  text(writer, 1, value.name);
  nested(writer, 2, (type) =>
    nested(type, 1, (tensor) => {
      tensor.tag(1, WireType.Varint).int32(ELEMENT_TYPES[value.type]);
      nested(tensor, 2, (shape) => {
        for (const extent of value.shape)
          nested(shape, 1, (dimension) => {
            if (typeof extent === 'string') text(dimension, 2, extent);
            else dimension.tag(1, WireType.Varint).int64(extent);
          });
      });
    }),
  );
}

function writeBranch(writer: BinaryWriter, graph: OnnxBranch): void {
  for (const node of graph.nodes)
    nested(writer, 1, (out) => {
      for (const name of node.inputs) text(out, 1, name);
      for (const name of node.outputs) text(out, 2, name);
      text(out, 3, node.name);
      text(out, 4, node.type);
      for (const [name, value] of Object.entries(node.attributes))
        nested(out, 5, (attribute) => writeAttribute(attribute, name, value));
      if (node.domain) text(out, 7, node.domain);
    });
  text(writer, 2, 'zeuxis');
  for (const value of graph.inputs) nested(writer, 11, (out) => writeValue(out, value));
  for (const value of graph.outputs) nested(writer, 12, (out) => writeValue(out, value));
}

const written = (write: (writer: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};
const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/** A message in its parts: what stands before it, and they. */
const asField = (field: number, parts: readonly Uint8Array[]): Uint8Array[] => [written((writer) => writer.tag(field, WireType.LengthDelimited).uint32(lengthOf(parts))), ...parts];

function initializerParts({ shape, type, name, data }: OnnxInitializer): Uint8Array[] {
  const head = written((writer) => {
    for (const extent of shape) writer.tag(1, WireType.Varint).int64(extent);
    writer.tag(2, WireType.Varint).int32(ELEMENT_TYPES[type]);
    text(writer, 8, name);
  });
  return [head, ...asField(9, [data])];
}

/** Notes the domains of a graph's operators, those of the graphs within it too. */
function noteDomains({ nodes }: OnnxBranch, domains: Set<string>): void {
  for (const { domain = '', attributes } of nodes) {
    domains.add(domain);
    for (const value of Object.values(attributes)) if (typeof value === 'object' && !Array.isArray(value)) noteDomains(value, domains);
  }
}

/** The bytes of an .onnx file. Constants are copied once, to where they belong: a writer that grows would copy them at each step. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  const graph = [written((writer) => writeBranch(writer, model)), ...model.initializers.flatMap((initializer) => asField(5, initializerParts(initializer)))];
  const domains = new Set(['']);
  noteDomains(model, domains);
  const head = written((writer) => {
    writer.tag(1, WireType.Varint).int64(IR_VERSION);
    text(writer, 2, 'zeuxis');
  });
  const tail = written((writer) => {
    for (const domain of domains)
      nested(writer, 8, (opset) => {
        text(opset, 1, domain);
        opset.tag(2, WireType.Varint).int64(domain === '' ? OPSET : 1);
      });
    writeMetadata(writer, model.metadata);
  });
  return joined([head, ...asField(7, graph), tail]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lengthOf(parts));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function writeMetadata(writer: BinaryWriter, metadata: Record<string, string>): void {
  for (const [key, value] of Object.entries(metadata))
    nested(writer, 14, (entry) => {
      text(entry, 1, key);
      text(entry, 2, value);
    });
}

type Field = (reader: BinaryReader, wireType: WireType) => void;

/** Reads one message, giving each field to its handler and skipping the others. */
function message(bytes: Uint8Array, fields: Record<number, Field>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields[number];
    if (field) field(reader, wireType);
    else reader.skip(wireType, number);
  }
}

const TYPE_NAMES = new Map(Object.entries(ELEMENT_TYPES).map(([name, code]) => [code, name as DataType]));

function readValue(bytes: Uint8Array): OnnxValue {
  let name = '';
  let type: DataType = 'float32';
  const shape: (number | string)[] = [];
  message(bytes, {
    1: (r) => {
      name = r.string();
    },
    2: (r) =>
      message(r.bytes(), {
        1: (r) =>
          message(r.bytes(), {
            1: (r) => {
              type = TYPE_NAMES.get(r.int32()) ?? 'float32';
            },
            2: (r) =>
              message(r.bytes(), {
                1: (r) => {
                  let extent: number | string = 'unknown';
                  message(r.bytes(), {
                    1: (r) => {
                      extent = Number(r.int64());
                    },
                    2: (r) => {
                      extent = r.string();
                    },
                  });
                  shape.push(extent);
                },
              }),
          }),
      }),
  });
  return { name, type, shape };
}

/** What a reader may learn from an .onnx file without running it. */
export interface OnnxSummary {
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  metadata: Record<string, string>;
}

/**
 * Inputs, outputs and metadata of any ONNX file.
 * @throws Error 'this is no ONNX file' where the bytes are not one.
 */
export function readOnnx(bytes: Uint8Array): OnnxSummary {
  const summary: OnnxSummary = { inputs: [], outputs: [], metadata: {} };
  const initialized = new Set<string>();
  let graphs = 0;
  try {
    message(bytes, {
      7: (r) => {
        graphs++;
        message(r.bytes(), {
          5: (r) =>
            message(r.bytes(), {
              8: (r) => {
                initialized.add(r.string());
              },
            }),
          11: (r) => {
            summary.inputs.push(readValue(r.bytes()));
          },
          12: (r) => {
            summary.outputs.push(readValue(r.bytes()));
          },
        });
      },
      14: (r) => {
        let [key, value] = ['', ''];
        message(r.bytes(), {
          1: (r) => {
            key = r.string();
          },
          2: (r) => {
            value = r.string();
          },
        });
        summary.metadata[key] = value;
      },
    });
  } catch {
    throw new Error('this is no ONNX file');
  }
  if (graphs !== 1 || summary.outputs.length === 0) throw new Error('this is no ONNX file');
  summary.inputs = summary.inputs.filter((value) => !initialized.has(value.name));
  return summary;
}

/** How many nodes of each type a graph has, without those of graphs within it. @throws Error 'this is no ONNX file' where the bytes are not one. */
export function countOperators(bytes: Uint8Array): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (type: string) => { counts[type] = (counts[type] ?? 0) + 1; };
  try {
    message(bytes, { 7: (r) => message(r.bytes(), { 1: (r) => message(r.bytes(), { 4: (r) => count(r.string()) }) }) });
  } catch {
    throw new Error('this is no ONNX file');
  }
  return counts;
}

/** The float32 constants of an .onnx file that Zeuxis wrote, by name. @throws Error 'this is no ONNX file' where the bytes are not one. */
export function readConstants(bytes: Uint8Array): Map<string, Float32Array> {
  const constants = new Map<string, Float32Array>();
  const readConstant = (tensor: Uint8Array) => {
    let [name, type] = ['', 0];
    let data: Uint8Array = new Uint8Array();
    message(tensor, {
      2: (r) => {
        type = r.int32();
      },
      8: (r) => {
        name = r.string();
      },
      9: (r) => {
        data = r.bytes();
      },
    });
    // A copy: floats must lie at multiples of four.
    if (type === ELEMENT_TYPES.float32 && data.length % 4 === 0) constants.set(name, new Float32Array(new Uint8Array(data).buffer));
  };
  try {
    message(bytes, { 7: (r) => message(r.bytes(), { 5: (inner) => readConstant(inner.bytes()) }) });
  } catch {
    throw new Error('this is no ONNX file');
  }
  return constants;
}

/** The same file with other metadata under the given keys; all else stays byte for byte. */
export function replaceMetadata(bytes: Uint8Array, metadata: Record<string, string>): Uint8Array {
  const reader = new BinaryReader(bytes);
  const kept: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wire] = reader.tag();
    let key: string | undefined;
    if (field === 14)
      message(reader.bytes(), {
        1: (r) => {
          key = r.string();
        },
      });
    else reader.skip(wire, field);
    if (key === undefined || !(key in metadata)) kept.push(bytes.subarray(start, reader.pos));
  }
  return joined([...kept, written((writer) => writeMetadata(writer, metadata))]);
}
