import { ProblemError } from '@oriel/protocol/problem'
import type { InferenceAnswer, InferenceCall, InferencePort, ModelRef, ServedModel } from '../port.ts'

/** `echo` answers its inputs, `words` streams them in words; nothing else is there. */
export class MemoryPort implements InferencePort {
  isReady = true
  calls: { model: ModelRef; call: InferenceCall; signal: AbortSignal }[] = []
  readonly loaded = new Set(['echo', 'words'])

  server = () => ({ name: 'oriel', version: '1' })
  live = async () => true
  ready = async () => this.isReady
  describe = async (model: ModelRef) => this.#find(model)
  modelReady = async ({ name }: ModelRef) => this.loaded.has(name)
  statistics = async () => []

  async infer(model: ModelRef, call: InferenceCall, signal: AbortSignal): Promise<InferenceAnswer> {
    const { name, version } = this.#find(model)
    this.calls.push({ model, call, signal })
    const outputs = call.inputs.filter((input) => call.outputs?.includes(input.name) ?? true)
    return { model: name, version, outputs }
  }

  async *stream(model: ModelRef, call: InferenceCall, signal: AbortSignal): AsyncIterable<InferenceAnswer> {
    const { outputs, ...answer } = await this.infer(model, call, signal)
    const [text] = outputs
    for (const word of text?.datatype === 'BYTES' ? String(text.values[0]).split(/(?<= )/) : []) {
      if (word === 'fail') throw new ProblemError({ kind: 'inference-failed', detail: 'It failed.' })
      yield { ...answer, outputs: [{ name: 'text_output', datatype: 'BYTES', shape: [1], values: [word] }] }
    }
  }

  repository = {
    index: async () => [
      { name: 'echo', version: '1', state: 'READY' as const },
      { name: 'words', version: '1', state: 'UNAVAILABLE' as const, reason: 'unloaded' },
    ],
    load: async (name: string) => void this.loaded.add(this.#find({ name }).name),
    unload: async (name: string) => void this.loaded.delete(this.#find({ name }).name),
  }

  #find({ name, version = '1' }: ModelRef): ServedModel {
    const model = MODELS[name]
    if (model && version === '1') return model
    throw new ProblemError({ kind: 'model-not-found', detail: `There is no model "${name}" of version ${version}.` })
  }
}

const common = { version: '1', versions: ['1'], platform: 'onnxruntime_onnx' }
const MODELS: Readonly<Record<string, ServedModel>> = {
  echo: {
    ...common,
    name: 'echo',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
    outputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
    maxBatch: 8,
    labels: { x: ['cat', 'dog'] },
  },
  words: {
    ...common,
    name: 'words',
    inputs: [{ name: 'text_input', datatype: 'BYTES', shape: [1] }],
    outputs: [{ name: 'text_output', datatype: 'BYTES', shape: [1] }],
    maxBatch: 0,
    generates: true,
  },
}
