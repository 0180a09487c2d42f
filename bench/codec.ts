import { received } from '@oriel/oip/message'
import type { InferenceAnswer } from '@oriel/oip/port'
import { decodeRequest, encodeRequest } from '@oriel/oip/request'
import { encodeResponse } from '@oriel/oip/response'
import type { NamedTensor } from '@oriel/protocol/tensor'
import { type Result, rate } from './result.ts'

/** Bodies of either kind, so that no parser or printer can remember the last one. */
const BODIES = 256
/** Turns of each way, so that a machine that is busy for a while is so for all. */
const TURNS = 10

/**
 * Requests read and answers written a second in one thread, beside what the runtime's own JSON takes for the same: all
 * that a prediction costs apart from HTTP, batching and the model.
 */
export function codecRates(forMs: number): Result[] {
  return [
    [4, 3],
    [512, 512],
  ].flatMap(([inputs = 0, outputs = 0]) => {
    const exchanges = Array.from({ length: BODIES }, () => exchange(inputs, outputs))
    const asJson = exchanges.map(({ request, answer }) => ({ body: received(request(false)), answer }))
    const asBinary = exchanges.map(({ request, answer }) => ({ body: received(request(true)), answer }))
    const [limit, json, binary] = inTurns(forMs, [
      (at) => runtime(asJson[at]),
      (at) => codec(asJson[at], false),
      (at) => codec(asBinary[at], true),
    ])
    const name = (form: string) => `${form}, ${inputs} FP32 in, ${outputs} out`
    return [
      rate(name('JSON'), 'exchanges/s', json ?? 0, limit),
      rate(name('binary'), 'exchanges/s', binary ?? 0, limit),
    ]
  })
}

interface Exchange {
  readonly body: ReturnType<typeof received>
  readonly answer: InferenceAnswer
}

function codec(exchange: Exchange | undefined, binary: boolean): unknown {
  if (!exchange) return undefined
  decodeRequest(exchange.body)
  return encodeResponse(exchange.answer, { binary })
}

const decoder = new TextDecoder()

function runtime(exchange: Exchange | undefined): unknown {
  if (!exchange) return undefined
  JSON.parse(decoder.decode(exchange.body.body))
  const { model, version, outputs } = exchange.answer
  const data = outputs.map((tensor) => ({ ...tensor, values: Array.from(tensor.values as Float32Array) }))
  return JSON.stringify({ model, version, outputs: data })
}

function exchange(inputs: number, outputs: number) {
  const call = { parameters: {}, inputs: [row('x', inputs)] }
  return {
    request: (binary: boolean) => encodeRequest(call, { binary }, { binary }),
    answer: { model: 'm', version: '1', outputs: [row('y', outputs)] },
  }
}

const row = (name: string, size: number): NamedTensor => ({
  name,
  datatype: 'FP32',
  shape: [1, size],
  values: Float32Array.from({ length: size }, () => Math.random() * 2 - 1),
})

/** Of each way, the median of its turns, per second. */
function inTurns(forMs: number, ways: readonly ((at: number) => unknown)[]): number[] {
  const rates = ways.map((): number[] => [])
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const [index, way] of ways.entries()) {
      const until = performance.now() + forMs / TURNS / ways.length
      const startedAt = performance.now()
      let count = 0
      while (performance.now() < until) for (let at = 0; at < BODIES; at++, count++) way(at)
      // The first turn is for the compiler.
      if (turn > 0) rates[index]?.push((count / (performance.now() - startedAt)) * 1_000)
    }
  }
  return rates.map((each) => each.toSorted((a, b) => a - b)[TURNS / 2] ?? Number.NaN)
}
