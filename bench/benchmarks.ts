import type { Stack } from '@oriel/dev/stack'
import type { Bare } from './bare.ts'
import { batchingGain } from './batching.ts'
import { codecRates } from './codec.ts'
import { epochMs } from './epoch.ts'
import { fencedPerSecond, liveTimes } from './fenced.ts'
import { forAWhile, read, submit, type Target } from './load.ts'
import { predictions } from './predict.ts'
import { percentile, type Result, rate, time } from './result.ts'
import { serveRates } from './serve.ts'
import { swaps } from './swaps.ts'

export interface Surroundings {
  readonly stack: Stack
  readonly bare: Bare
  readonly target: Target
}

/** What it shows, and the aim; one that is alone needs no stack around it. */
export type Benchmark =
  | { readonly about: string; readonly alone?: false; run(around: Surroundings): Promise<Result[]> }
  | { readonly about: string; readonly alone: true; run(): Promise<Result[]> }

const FOR_MS = 8_000

/** The median and the 99th percentile, each beside that of the limit. */
const both = (name: string, times: readonly number[], bound: readonly number[]): Result[] =>
  [0.5, 0.99].map((part) => time(`${name}, p${part * 100}`, percentile(times, part), percentile(bound, part)))

/** Requests with 10 events each, sent and streamed to the end. */
const streams: Benchmark = {
  about:
    'durable streamed requests/s of 10 events; limit: fresh objects with one write (aim: 500/s, or a ratio of 0.7)',
  async run({ bare, target }) {
    const limit = await bare.freshPerSecond(32, FOR_MS / 2)
    const { count, seconds } = await forAWhile(32, FOR_MS, async () => {
      await read(target, await submit(target, { events: 10 }))
    })
    return [rate('streamed requests of 10 events', 'requests/s', count / seconds, limit)]
  },
}

const events: Benchmark = {
  about:
    'events/s from node to clients over 32 long streams; limit: fenced publishes without anything behind (aim: 20,000/s)',
  async run({ stack, target }) {
    const limit = await fencedPerSecond(stack, 32, FOR_MS / 2)
    let received = 0
    const { seconds } = await forAWhile(32, FOR_MS, async () => {
      const id = await submit(target, { events: 2_000 })
      await read(target, id, (blocks) => {
        received += blocks.length
      })
    })
    return [rate('events to clients', 'events/s', received / seconds, limit)]
  },
}

const latency: Benchmark = {
  about:
    'an event from node to client at 200 streams of 25/s; limit: publish to plain subscriber at that load (aim: p50 2 ms, p99 10 ms)',
  async run({ stack, target }) {
    const bound = await liveTimes(stack, 200, 25, FOR_MS / 2)
    const times: number[] = []
    const parameters = { events: (25 * FOR_MS) / 1_000, perSecond: 25 }
    const ids = await Promise.all(Array.from({ length: 200 }, () => submit(target, parameters)))
    const startedAt = epochMs()
    await Promise.all(
      ids.map((id) =>
        read(target, id, (blocks) => {
          const now = epochMs()
          for (const block of blocks) {
            const at = Number(/"at":([0-9.]+)/.exec(block)?.[1])
            // What was said before everybody listened is replay, not latency.
            if (at > startedAt + 1_000) times.push(now - at)
          }
        }),
      ),
    )
    return both('event from node to client', times, bound)
  },
}

const COUNT = 100

const accept: Benchmark = {
  about: 'from a submit to its 202, one at a time; limit: a fresh object with one write',
  async run({ bare, target }) {
    const bound = await bare.freshTimes(COUNT)
    const times: number[] = []
    for (let done = 0; done < COUNT; done += 1) {
      const startedAt = performance.now()
      const id = await submit(target, { events: 1 })
      times.push(performance.now() - startedAt)
      await read(target, id)
    }
    return both('accepted', times, bound)
  },
}

const first: Benchmark = {
  about:
    'from a submit to the first response, one at a time; limit: a fresh object and a NATS request through an object',
  async run({ bare, target }) {
    const fresh = await bare.freshTimes(COUNT)
    const through = await bare.throughTimes(COUNT)
    const bound = fresh.map((ms, index) => ms + (through[index] ?? 0))
    const times: number[] = []
    for (let done = 0; done < COUNT; done += 1) {
      const startedAt = performance.now()
      let responded: number | undefined
      await read(target, await submit(target, { events: 1 }), (blocks) => {
        if (blocks.some((block) => block.includes('event: responses'))) responded ??= performance.now()
      })
      if (responded !== undefined) times.push(responded - startedAt)
    }
    return both('first response', times, bound)
  },
}

const batching: Benchmark = {
  about:
    'predictions/s of a 37 MB perceptron on one host with batching; limit: without it (aim: a ratio of 4.5 at 32 callers, of 0.95 at one)',
  alone: true,
  run: () => batchingGain(FOR_MS),
}

const codec: Benchmark = {
  about:
    'requests of the Open Inference Protocol read and answers written, one thread; limit: the runtime’s JSON alone',
  alone: true,
  run: async () => codecRates(FOR_MS),
}

const serve: Benchmark = {
  about:
    'requests/s over HTTP of a node alone at 1, 8, 32 and 64 connections; limit: a bare server that has its answer ready',
  alone: true,
  run: () => serveRates(FOR_MS / 2),
}

const predict: Benchmark = {
  about:
    'predictions of a tiny graph that wait for their answer; limit: a NATS request through an object (aim: a ratio of 0.65, and 1 ms more at p50)',
  run: (around) => predictions(around, FOR_MS),
}

const modelSwaps: Benchmark = {
  about:
    'a request for a model that must take the place of another; limit: a raw session of the same graph (aim: a ratio of 0.67); memory after 10,000 swaps (aim: within 10 %); 10,000 models with 5 % of them in memory',
  alone: true,
  run: swaps,
}

export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  streams,
  events,
  latency,
  accept,
  first,
  batching,
  codec,
  serve,
  predict,
  swaps: modelSwaps,
}
