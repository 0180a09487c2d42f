import type { Surroundings } from './benchmarks.ts'
import { forAWhile, type Target } from './load.ts'
import { startModelNode } from './model-node.ts'
import { percentile, type Result, rate, time } from './result.ts'

const CLIENTS = [1, 8, 32, 128]
/** Turns of either kind, so that a machine that is busy for a while is so for both. */
const TURNS = 4
const ROW = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [0.1, 0.2, 0.3, 0.4] }] })

/** Predictions of a tiny graph through edge, relay and node, beside a NATS request through an object that does nothing else. */
export async function predictions({ stack, bare, target }: Surroundings, forMs: number): Promise<Result[]> {
  await using _node = await startModelNode(stack, target)
  const results: Result[] = []
  const own: number[] = []
  const limit: number[] = []
  for (let turn = -1; turn < TURNS; turn++) {
    const [ours, theirs] = [await timesOf(() => predict(target)), await timesOf(() => bare.through())]
    if (turn < 0) continue // the one before the first is to warm up
    own.push(...ours)
    limit.push(...theirs)
  }
  results.push(time('one prediction at a time, p50', percentile(own, 0.5), percentile(limit, 0.5)))
  results.push(time('one prediction at a time, p99', percentile(own, 0.99), percentile(limit, 0.99)))
  for (const clients of CLIENTS) {
    const rates: number[] = []
    const limits: number[] = []
    for (let turn = 0; turn < TURNS; turn++) {
      rates.push(await perSecond(clients, forMs / TURNS, () => predict(target)))
      limits.push(await perSecond(clients, forMs / TURNS, () => bare.through()))
    }
    results.push(
      rate(`predictions, ${clients} clients`, 'predictions/s', percentile(rates, 0.5), percentile(limits, 0.5)),
    )
  }
  return results
}

async function predict({ url, token }: Target): Promise<void> {
  const response = await fetch(`${url}/v2/models/tiny/infer`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: ROW,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`a prediction was answered ${response.status}: ${text}`)
}

async function perSecond(width: number, forMs: number, task: () => Promise<void>): Promise<number> {
  const { count, seconds } = await forAWhile(width, forMs, task)
  return count / seconds
}

async function timesOf(task: () => Promise<void>, count = 200): Promise<number[]> {
  const times: number[] = []
  for (let done = 0; done < count; done += 1) {
    const startedAt = performance.now()
    await task()
    times.push(performance.now() - startedAt)
  }
  return times
}
