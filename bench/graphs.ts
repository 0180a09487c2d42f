import { join } from 'node:path'
import { type GraphDef, type NodeDef, onnxBytes, type Weight } from '@oriel/gpu-node/engines/testing/onnx-bytes'
import type { ManifestInput } from '@oriel/protocol/manifest'

/** Perceptrons to race with: the same bytes on every machine, so that whoever reads the folder runs the same graphs. */
export const GRAPHS = {
  /** Nothing to compute: what is left is the way there and back. */
  tiny: [4, 16, 3],
  /** 37 MB of weights, which every run reads: what batching is for. */
  perceptron: [512, 2048, 2048, 1600, 512],
} as const satisfies Record<string, readonly number[]>
export type GraphName = keyof typeof GRAPHS

/** The most rows that a run takes. */
const MAX_BATCH = 64

/**
 * Writes the graphs as `<dir>/<name>/1/model.onnx`, the layout of Triton's repositories, with a manifest beside each.
 * FP32 [rows, first] `x` in, FP32 [rows, last] `y` out.
 */
export async function writeGraphs(dir: string): Promise<void> {
  for (const [name, widths] of Object.entries(GRAPHS)) {
    const folder = join(dir, name, '1')
    const path = join(folder, 'model.onnx')
    const [first, last] = [widths[0] ?? 0, widths.at(-1) ?? 0]
    const bytes = onnxBytes(perceptron(widths))
    await Bun.write(path, bytes)
    const manifest: ManifestInput = {
      name,
      version: '1',
      engine: 'tensor',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [first] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [last] }],
      limits: { timeoutMs: 30_000, maxBatch: MAX_BATCH, concurrency: 64 },
      files: [
        { path: 'model.onnx', sha256: new Bun.CryptoHasher('sha256').update(bytes).digest('hex'), bytes: bytes.length },
      ],
    }
    await Bun.write(join(folder, 'manifest.json'), JSON.stringify(manifest, null, 2))
  }
}

/** Layers of `Relu(x · w + b)`, the last one without its `Relu`. */
export function perceptron(widths: readonly number[]): GraphDef {
  const random = uniform(1)
  const nodes: NodeDef[] = []
  const weights: Weight[] = []
  const filled = (name: string, dims: readonly number[], scale: number) => {
    const values = new Float32Array(dims.reduce((count, size) => count * size, 1))
    for (let index = 0; index < values.length; index++) values[index] = (random() * 2 - 1) * scale
    weights.push({ name, dims, values })
  }
  for (const [layer, width] of widths.slice(1).entries()) {
    const before = widths[layer] ?? 0
    const isLast = layer === widths.length - 2
    const from = layer === 0 ? 'x' : `relu${layer - 1}`
    filled(`w${layer}`, [before, width], 1 / Math.sqrt(before))
    filled(`b${layer}`, [width], 0.1)
    nodes.push({ op: 'MatMul', inputs: [from, `w${layer}`], outputs: [`product${layer}`] })
    nodes.push({ op: 'Add', inputs: [`product${layer}`, `b${layer}`], outputs: [isLast ? 'y' : `sum${layer}`] })
    if (!isLast) nodes.push({ op: 'Relu', inputs: [`sum${layer}`], outputs: [`relu${layer}`] })
  }
  return {
    inputs: [{ name: 'x', type: 'float32', shape: ['rows', widths[0] ?? 0] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['rows', widths.at(-1) ?? 0] }],
    nodes,
    weights,
  }
}

/** From 0 up to 1, the same row of numbers for a seed everywhere (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
