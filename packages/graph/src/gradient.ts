// Reverse-mode differentiation of the symbolic graph. The result is more graph, so it can be differentiated again.

import { add, fill } from './elementwise.js';
import { isInput, type Tensor } from './tensor.js';

/** The tensors on which `roots` depend, each after its inputs. Iterative: training graphs are thousands deep. */
export function topological(roots: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const stack: { tensor: Tensor; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push({ tensor: root, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const child = top.tensor.inputs[top.next++];
      if (child === undefined) {
        order.push(top.tensor);
        stack.pop();
      } else if (!seen.has(child)) {
        seen.add(child);
        stack.push({ tensor: child, next: 0 });
      }
    }
  }
  return order;
}

/**
 * The gradient of a loss with respect to tensors of its graph, each in the shape of its tensor. A loss of many values
 * is summed, as by a cotangent of ones. Where no gradient flows the result is zero.
 * @throws TypeError where a primitive on the way has no gradient rule.
 */
export function gradient(loss: Tensor, inputs: readonly Tensor[]): Tensor[] {
  const order = topological([loss]);
  const wanted = new Set(inputs);
  // Only what lies between the inputs and the loss is differentiated.
  const between = new Set<Tensor>();
  for (const tensor of order)
    if (wanted.has(tensor) || tensor.inputs.some((child) => between.has(child))) between.add(tensor);

  const cotangents = new Map<Tensor, Tensor>([[loss, fill(1, loss.shape)]]);
  for (const tensor of order.reverse()) {
    const upstream = cotangents.get(tensor);
    if (!upstream || !between.has(tensor) || isInput(tensor) || tensor.inputs.length === 0) continue;
    if (!tensor.inputs.some((child) => between.has(child))) continue;
    if (!tensor.primitive.gradient) throw new TypeError(`gradient: '${tensor.primitive.name}' has no gradient rule`);
    tensor.primitive.gradient(tensor, upstream).forEach((cotangent, i) => {
      const child = tensor.input(i);
      if (!cotangent || !between.has(child)) return;
      const sofar = cotangents.get(child);
      cotangents.set(child, sofar ? add(sofar, cotangent) : cotangent);
    });
  }
  return inputs.map((tensor) => cotangents.get(tensor) ?? fill(0, tensor.shape));
}
