import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchingPredictor } from '@oriel/gpu-node/batching/batching-predictor'
import { fineClock, systemClock } from '@oriel/gpu-node/clock'
import { bunHosts } from '@oriel/gpu-node/host/bun-host-process'
import { HostPool } from '@oriel/gpu-node/host-pool'
import { scanModels } from '@oriel/gpu-node/model-folder'
import type { LocalModel } from '@oriel/gpu-node/model-runner'
import type { NamedTensor } from '@oriel/protocol/tensor'
import { GRAPHS, writeGraphs } from './graphs.ts'
import { type Result, rate } from './result.ts'

/** Turns of either kind, so that a machine that is busy for a while is so for both. */
const TURNS = 8

/** Predictions a second by callers who ask again as soon as they are answered, with batching and without it. */
export async function batchingGain(forMs: number): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'oriel-graphs-'))
  const pool = new HostPool({ hosts: 1, start: bunHosts({ threads: 1 }), clock: systemClock })
  try {
    await writeGraphs(dir)
    const { models } = await scanModels(dir)
    const model = models.find(({ manifest }) => manifest.name === 'perceptron')
    if (!model) throw new Error('the perceptron was not written whole')
    const predictor = new BatchingPredictor({ hosts: pool, clock: fineClock })
    const results: Result[] = []
    for (const callers of [1, 8, 32]) {
      const [on, off] = await inTurns(predictor, [model, unbatched(model)], callers, forMs)
      results.push(rate(`37 MB perceptron, ${callers} callers`, 'predictions/s', on ?? 0, off))
    }
    return results
  } finally {
    await pool.close()
    rmSync(dir, { recursive: true })
  }
}

const unbatched = ({ manifest, dir }: LocalModel): LocalModel => ({
  dir,
  manifest: { ...manifest, limits: { ...manifest.limits, maxBatch: 1 } },
})

/** Of each model, the median of its turns. */
async function inTurns(
  predictor: BatchingPredictor,
  models: readonly LocalModel[],
  callers: number,
  forMs: number,
): Promise<number[]> {
  const rates = models.map((): number[] => [])
  for (let turn = -1; turn < TURNS; turn++) {
    for (const [index, model] of models.entries()) {
      const found = await perSecond(predictor, model, callers, forMs / TURNS)
      if (turn >= 0) rates[index]?.push(found) // the one before the first is to warm up
    }
  }
  return rates.map((all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0)
}

async function perSecond(predictor: BatchingPredictor, model: LocalModel, callers: number, forMs: number) {
  const [width] = GRAPHS.perceptron
  const x: NamedTensor = { name: 'x', datatype: 'FP32', shape: [1, width], values: new Float32Array(width).fill(0.5) }
  const startedAt = performance.now()
  let count = 0
  const caller = async () => {
    while (performance.now() - startedAt < forMs) {
      await predictor.predict(model, [x])
      count++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (count / (performance.now() - startedAt)) * 1_000
}
