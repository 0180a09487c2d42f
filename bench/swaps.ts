import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchingPredictor } from '@oriel/gpu-node/batching/batching-predictor'
import { type Clock, fineClock, systemClock } from '@oriel/gpu-node/clock'
import { bunHosts } from '@oriel/gpu-node/host/bun-host-process'
import { HostPool, type HostPoolOptions } from '@oriel/gpu-node/host-pool'
import { scanModels } from '@oriel/gpu-node/model-folder'
import type { LocalModel } from '@oriel/gpu-node/model-runner'
import * as v from 'valibot'
import { GRAPHS, type GraphName, writeGraphs } from './graphs.ts'
import { percentile, type Result, rate, time } from './result.ts'

const MB = 2 ** 20
const TURNS = 40
const SWAPS = 10_000
const MODELS = 10_000
const RESIDENT = 500
const REQUESTS = 20_000
const CALLERS = 8

/** What it costs that models come and go. */
export async function swaps(): Promise<Result[]> {
  const dir = mkdtempSync(join(tmpdir(), 'oriel-graphs-'))
  try {
    await writeGraphs(dir)
    const { models } = await scanModels(dir)
    const graph = (name: GraphName): LocalModel => {
      const found = models.find(({ manifest }) => manifest.name === name)
      if (!found) throw new Error(`the graph ${name} was not written whole`)
      return found
    }
    return [
      ...(await swapIn(graph('perceptron'))),
      await memory('tiny graph', graph('tiny'), SWAPS),
      await memory('37 MB perceptron', graph('perceptron'), SWAPS / 50),
      ...(await manyModels(graph('tiny'))),
    ]
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** The same graph under other names: to a node they are models of their own. */
const copies = ({ manifest, dir }: LocalModel, count: number, bytes?: number): LocalModel[] =>
  Array.from({ length: count }, (_, index) => {
    const files = bytes === undefined ? manifest.files : manifest.files.map((file) => ({ ...file, bytes }))
    return { dir, manifest: { ...manifest, name: `${manifest.name}-${index}`, files } }
  })

const poolOf = (options: Partial<HostPoolOptions>) =>
  new HostPool({ hosts: 1, start: bunHosts({ threads: 1 }), clock: systemClock, ...options })

const rowOf = ({ manifest }: LocalModel) => {
  const width = manifest.inputs[0]?.shape[0] ?? 0
  return [{ name: 'x', datatype: 'FP32', shape: [1, width], values: new Float32Array(width) }] as const
}

/** A request for a model that must first take the place of another, beside the raw session, in turns. */
async function swapIn(model: LocalModel): Promise<Result[]> {
  let passed = 0
  // What was loaded moments ago would stay: here, a minute goes by between requests.
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + passed }
  const pool = poolOf({ clock, budgetBytes: 70 * MB })
  const predictor = new BatchingPredictor({ hosts: pool, clock: fineClock })
  await using raw = rawSessions()
  try {
    const pair = copies(model, 2)
    const swapped: number[] = []
    const limit: number[] = []
    for (let turn = -2; turn < TURNS; turn++) {
      const next = pair[Math.abs(turn % 2)] as LocalModel
      const limitMs = await raw.open(join(next.dir, 'model.onnx'), GRAPHS.perceptron[0])
      passed += 60_000
      const startedAt = performance.now()
      await predictor.predict(next, rowOf(next))
      if (turn < 0) continue
      swapped.push(performance.now() - startedAt)
      limit.push(limitMs)
    }
    return [0.5, 0.95].map((part) =>
      time(`37 MB perceptron swapped in and run, p${part * 100}`, percentile(swapped, part), percentile(limit, part)),
    )
  } finally {
    await pool.close()
  }
}

/** What a host has in memory after so many models have come and gone, beside what it had after a tenth of them. */
async function memory(name: string, model: LocalModel, count: number): Promise<Result> {
  const pool = poolOf({})
  const pair = copies(model, 2)
  try {
    const rssMb = () => rssOf(pool.status()[0]?.pid ?? 0) / MB
    let early = 0
    for (let swap = 0; swap < count; swap++) {
      await pool.load(pair[swap % 2] as LocalModel)
      await pool.unload(pair[swap % 2] as LocalModel)
      if (swap === count / 10) early = rssMb()
    }
    const late = rssMb()
    const title = `memory of a host after ${count} swaps of a ${name}, beside after ${count / 10}`
    return { name: title, unit: 'MB', value: late, limit: early, ratio: early / late }
  } finally {
    await pool.close()
  }
}

/** Of a process of this machine. */
function rssOf(pid: number): number {
  const { stdout } = Bun.spawnSync(['ps', '-o', 'rss=', '-p', String(pid)])
  return Number(stdout.toString()) * 1024
}

/** Far more models than memory, wanted as the words of a language are: a few often, most hardly ever. */
async function manyModels(model: LocalModel): Promise<Result[]> {
  let misses = 0
  const observer = { missed: () => void misses++, loaded() {}, evicted() {}, recycled() {} }
  // Each is said to have a megabyte, so that the budget is a number of models.
  const pool = poolOf({ hosts: 2, budgetBytes: RESIDENT * MB, observer })
  const predictor = new BatchingPredictor({ hosts: pool, clock: fineClock })
  const all = copies(model, MODELS, MB)
  const next = zipf(MODELS)
  const row = rowOf(model)
  try {
    const ask = async (count: number) => {
      let left = count
      const caller = async () => {
        while (left-- > 0) await predictor.predict(all[next()] as LocalModel, row)
      }
      await Promise.all(Array.from({ length: CALLERS }, caller))
    }
    await ask(REQUESTS / 4)
    misses = 0
    const startedAt = performance.now()
    await ask(REQUESTS)
    const seconds = (performance.now() - startedAt) / 1_000
    const about = `${MODELS} models, ${RESIDENT} in memory, zipf`
    return [
      rate(`${about}: found in memory`, 'of requests', 1 - misses / REQUESTS, shareOfFirst(RESIDENT, MODELS)),
      rate(`${about}: answered by ${CALLERS} callers`, 'predictions/s', REQUESTS / seconds),
    ]
  } finally {
    await pool.close()
  }
}

/** How often the most wanted are wanted: no cache of their number that cannot look ahead does better for long. */
const shareOfFirst = (count: number, total: number) => harmonic(count) / harmonic(total)

const harmonic = (count: number) =>
  Array.from({ length: count }, (_, rank) => 1 / (rank + 1)).reduce((a, b) => a + b, 0)

/** Ranks from 0, each in proportion to 1 / (rank + 1); the same ones in every run. */
function zipf(total: number): () => number {
  const sums: number[] = []
  for (let rank = 0; rank < total; rank++) sums.push((sums[rank - 1] ?? 0) + 1 / (rank + 1))
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const at = (state / 2 ** 32) * (sums[total - 1] ?? 0)
    let [low, high] = [0, total - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

const Timed = v.object({ ms: v.number() })

function rawSessions(): AsyncDisposable & { open(file: string, width: number): Promise<number> } {
  let heard: (ms: number) => void = () => {}
  const child = Bun.spawn(
    [process.execPath, Bun.fileURLToPath(import.meta.resolve('@oriel/gpu-node/host/testing/raw-session'))],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc: (message) => heard(v.parse(Timed, message).ms),
    },
  )
  return {
    open(file, width) {
      return new Promise((resolve) => {
        heard = resolve
        child.send({ file, width })
      })
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await child.exited
    },
  }
}
