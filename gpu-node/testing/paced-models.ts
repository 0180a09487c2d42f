import { Manifest } from '@oriel/protocol/manifest'
import { ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { ModelRunner, Output, Run } from '../model-runner.ts'
import type { Models } from '../node.ts'
import { pause } from '../retry.ts'

/** A generation whose tokens are the words of its input, counted from 1: it needs no file and no host. */
const PARROT = v.parse(Manifest, {
  name: 'parrot',
  version: '1',
  engine: 'text-generation',
  files: [{ path: 'model.onnx', sha256: '0'.repeat(64), bytes: 0 }],
  parameters: {
    tokensPerSecond: { type: 'number', default: 0, minimum: 0 },
    /** How many runs of a request fail after one more word. */
    failures: { type: 'integer', default: 0, minimum: 0 },
  },
  limits: { timeoutMs: 60_000, maxBatch: 1, concurrency: 1_000 },
})

class ParrotRunner implements ModelRunner {
  #failed = new Map<string, number>()

  async run({ id, input, parameters, prior }: Run, emit: (output: Output) => void, signal: AbortSignal): Promise<void> {
    const failed = this.#failed.get(id) ?? 0
    const fails = failed < Number(parameters.failures ?? 0)
    const rate = Number(parameters.tokensPerSecond ?? 0)
    const words = String(input).split(/(?<= )/)
    for (let at = prior.tokens.length; at < words.length; at++) {
      if (rate > 0) await pause(1_000 / rate, signal)
      signal.throwIfAborted()
      emit({ response: words[at], tokens: [at + 1] })
      if (!fails) continue
      this.#failed.set(id, failed + 1)
      throw new ProblemError({ kind: 'inference-failed', detail: 'The parrot fell off its perch.' })
    }
  }
}

export const pacedModels = (): Models => ({
  runner: new ParrotRunner(),
  // It speaks, and takes no tensors.
  predictor: { predict: () => Promise.reject(new Error('the parrot predicts nothing')) },
  manifests: [PARROT],
  find: (name, version) =>
    name === PARROT.name && version === PARROT.version
      ? { manifest: PARROT, dir: '/nowhere' }
      : { kind: 'model-not-found', detail: `This node has no ${name} version ${version}.` },
  status: () => ({ hosts: [], models: [{ name: PARROT.name, version: PARROT.version, state: 'loaded' }] }),
  close: async () => {},
})
