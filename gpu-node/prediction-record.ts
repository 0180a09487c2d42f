import { jetstream } from '@nats-io/jetstream'
import { binaryOfValues } from '@oriel/oip/binary-values'
import { jsonOfValues } from '@oriel/oip/json-values'
import type { Payload, Predicted as PredictedFact } from '@oriel/protocol/fact'
import { newRequestId } from '@oriel/protocol/ids'
import { predictedSubject } from '@oriel/protocol/subjects'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { Clock } from './clock.ts'
import type { Logger } from './logger.ts'
import type { NatsLink } from './nats-link.ts'
import type { Predicted } from './predictions.ts'
import { persist } from './retry.ts'

type Row = PredictedFact['predictions'][number]

/** How long a prediction may wait to be told with others. */
const FLUSH_MS = 250
const MAX_ROWS = 256
/** Values of one side of a prediction that are recorded as they are; of more, what they were. */
const MAX_VALUES = 256
const MAX_CHARS = 4_096
/** With the broker away so many are kept; then the oldest go, for predictions are not what a node must not lose. */
const MAX_KEPT = 20_000

/** Tells the record of predictions, in batches and behind the callers' backs. */
export class PredictionRecord {
  readonly #node: string
  readonly #link: NatsLink
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #stopping = new AbortController()
  #waiting: Row[] = []
  #dropped = 0
  #sending: Promise<void> | undefined

  constructor(node: string, link: NatsLink, clock: Clock, logger: Logger) {
    this.#node = node
    this.#link = link
    this.#clock = clock
    this.#logger = logger
  }

  add(predicted: Predicted): void {
    if (this.#waiting.length >= MAX_KEPT) {
      this.#waiting.shift()
      this.#dropped++
    }
    this.#waiting.push(rowOf(predicted))
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined
    })
  }

  /** Resolves when all is told, or after `ms`; what is left then is lost. */
  async drain(ms: number): Promise<void> {
    const cancel = this.#clock.setTimer(ms, () => this.#stopping.abort())
    await this.#sending
    cancel()
  }

  async #send(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#clock.setTimer(FLUSH_MS, resolve)
    await promise
    while (this.#waiting.length > 0 && !this.#stopping.signal.aborted) {
      await this.#tell(this.#waiting.splice(0, MAX_ROWS))
      if (this.#dropped === 0) continue
      this.#logger.warn('predictions were not recorded: the broker was away for too long', { count: this.#dropped })
      this.#dropped = 0
    }
  }

  async #tell(predictions: Row[]): Promise<void> {
    const id = newRequestId(this.#clock.now())
    const fact: PredictedFact = { id, node: this.#node, predictions }
    const publish = () =>
      jetstream(this.#link.nc).publish(predictedSubject(id), JSON.stringify(fact), { msgID: `predicted.${id}` })
    try {
      await persist(this.#link, publish, this.#stopping.signal)
    } catch (cause) {
      this.#logger.error('predictions could not be recorded', { count: predictions.length, cause })
    }
  }
}

function rowOf({ head: { id, user, model, version }, call, tookMs, outcome }: Predicted): Row {
  const common = { id, user, model, version, tookMs, input: payloadOf(call.inputs) }
  return 'answer' in outcome
    ? { ...common, status: 'completed', output: payloadOf(outcome.answer.outputs) }
    : { ...common, status: 'failed', problem: outcome.problem }
}

function payloadOf(tensors: readonly NamedTensor[]): Payload {
  const few = tensors.reduce((count, { values }) => count + values.length, 0) <= MAX_VALUES
  if (few) {
    const asJson = tensors.map((tensor) => ({ ...tensor, values: undefined, data: dataOf(tensor) }))
    if (JSON.stringify(asJson).length <= MAX_CHARS) return { tensors: asJson }
  }
  const hasher = new Bun.CryptoHasher('sha256')
  let bytes = 0
  for (const tensor of tensors) {
    const binary = binaryOfValues(tensor)
    hasher.update(binary)
    bytes += binary.byteLength
  }
  return { sha256: hasher.digest('hex'), bytes }
}

/** As the protocol's JSON has it, but that a 64-bit integer which no double holds is a string. */
function dataOf(tensor: NamedTensor): unknown[] {
  const { datatype, values } = tensor
  if (datatype !== 'INT64' && datatype !== 'UINT64') return JSON.parse(`[${jsonOfValues(tensor)}]`)
  return Array.from(values as BigInt64Array, (value) =>
    Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
  )
}
