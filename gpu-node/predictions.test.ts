import { expect, test } from 'bun:test'
import type { Msg } from '@nats-io/nats-core'
import { encodeRequest } from '@oriel/oip/request'
import { openFrame, packFrame } from '@oriel/protocol/frame'
import { newRequestId } from '@oriel/protocol/ids'
import type { PredictionHead } from '@oriel/protocol/prediction'
import type { NamedTensor } from '@oriel/protocol/tensor'
import type { LocalModel } from './model-runner.ts'
import type { NatsLink } from './nats-link.ts'
import { Predictions } from './predictions.ts'
import { ManualClock } from './testing/manual-clock.ts'
import { ScriptedRunner } from './testing/scripted-runner.ts'

test('predictions in hand have room for so many bytes together; more are refused until one is over', async () => {
  const gate = Promise.withResolvers<NamedTensor[]>()
  const manifest = { name: 'iris', version: '1', engine: 'tensor', parameters: {} }
  const { promise: subscribed, resolve: subscribe } = Promise.withResolvers<(error: null, message: Msg) => void>()
  const nc = {
    subscribe: (_: string, { callback }: { callback: (error: null, message: Msg) => void }) => subscribe(callback),
  }
  const frame = () => {
    const head: PredictionHead = {
      id: newRequestId(0),
      user: 'ada',
      model: 'iris',
      version: '1',
      parameters: {},
      sentAt: 0,
      timeoutMs: 1_000,
    }
    const values = new Uint8Array(1_000)
    const inputs = [{ name: 'x', datatype: 'UINT8' as const, shape: [1_000], values }]
    const { body, headerLength } = encodeRequest({ inputs, parameters: {} }, { binary: true }, { binary: true })
    return packFrame(head, body, headerLength)
  }
  const predictions = new Predictions({
    node: 'node-1',
    link: { nc } as unknown as NatsLink,
    models: { find: () => ({ manifest, dir: '/' }) as unknown as LocalModel },
    predictor: { predict: () => gate.promise },
    runner: new ScriptedRunner(),
    clock: new ManualClock(),
    logger: { info() {}, warn() {}, error() {} },
    maxBytes: 2 * frame().byteLength,
    onPredicted() {},
  })
  predictions.run()
  const deliver = await subscribed
  const ask = () => {
    const { promise, resolve } = Promise.withResolvers<unknown>()
    const respond = (data: Uint8Array) => resolve(openFrame(data).head)
    deliver(null, { data: frame(), respond } as unknown as Msg)
    return promise
  }
  const first = [ask(), ask()]
  expect(await ask()).toMatchObject({ ok: false, problem: { kind: 'queue-full', retryAfterMs: 1_000 } })
  gate.resolve([])
  for (const answer of await Promise.all(first)) expect(answer).toMatchObject({ ok: true })
  await predictions.idle()
  expect(await ask()).toMatchObject({ ok: true })
})
