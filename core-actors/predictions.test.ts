import { describe, expect, test } from 'bun:test'
import { openFrame, packFrame } from '@oriel/protocol/frame'
import type { Problem } from '@oriel/protocol/problem'
import type { Question, Reply } from './answer-line.ts'
import { MAX_BYTES, Predictions } from './predictions.ts'

const ORDER = { id: 'x', model: 'iris', version: '1', timeoutMs: 1_000, frame: new Uint8Array([1]) }

const answer = (node: string): Reply => ({ kind: 'answer', data: packFrame({ ok: true, node, tookMs: 1 }, '{}') })
const refusal = (kind: Problem['kind']): Reply => ({
  kind: 'answer',
  data: packFrame({ ok: false, node: 'n', problem: { kind, detail: '' } }, ''),
})

/** Nodes, each with what becomes of what it is asked. */
function setup(nodes: Record<string, (question: Question) => Promise<Reply> | Reply>) {
  const world = { now: 0, asked: [] as string[], cancelled: [] as string[] }
  const predictions = new Predictions({
    candidates: () => Object.keys(nodes).map((node) => ({ node, home: false, loaded: true })),
    async ask(question) {
      world.asked.push(question.node)
      const reply = await nodes[question.node]?.(question)
      return reply ?? { kind: 'absent' }
    },
    cancel: (id) => void world.cancelled.push(id),
    now: () => world.now,
    random: () => 0,
  })
  return { world, predictions }
}

const kindOf = (outcome: Awaited<ReturnType<Predictions['predict']>>) =>
  outcome.ok ? (openFrame(outcome.frame).head as { node: string }).node : outcome.problem.kind

describe('a prediction is asked of', () => {
  test('one node, when it answers', async () => {
    const { world, predictions } = setup({ a: () => answer('a'), b: () => answer('b') })
    expect(kindOf(await predictions.predict(ORDER))).toBe('a')
    expect(world.asked).toEqual(['a'])
  })

  test('another, when the first went away, is full, or has not the model', async () => {
    for (const first of [{ kind: 'lost' } as const, refusal('queue-full'), refusal('model-not-found')]) {
      const { predictions } = setup({ a: () => first, b: () => answer('b') })
      expect(kindOf(await predictions.predict(ORDER))).toBe('b')
    }
  })

  test('as many as it takes to find one that listens', async () => {
    const absent = (): Reply => ({ kind: 'absent' })
    const { predictions } = setup({ a: absent, b: absent, c: absent, d: () => answer('d') })
    expect(kindOf(await predictions.predict(ORDER))).toBe('d')
  })

  test('two at most, so that one which ends its node does not end them all', async () => {
    const lost = (): Reply => ({ kind: 'lost' })
    const { world, predictions } = setup({ a: lost, b: lost, c: () => answer('c') })
    expect(kindOf(await predictions.predict(ORDER))).toBe('unavailable')
    expect(world.asked).toEqual(['a', 'b'])
  })

  test('nobody else, when the model itself fails', async () => {
    const { world, predictions } = setup({ a: () => refusal('inference-failed'), b: () => answer('b') })
    expect(kindOf(await predictions.predict(ORDER))).toBe('inference-failed')
    expect(world.asked).toEqual(['a'])
  })
})

test('two at once go to two nodes', async () => {
  const gate = Promise.withResolvers<Reply>()
  const { world, predictions } = setup({ a: () => gate.promise, b: () => answer('b') })
  const first = predictions.predict(ORDER)
  expect(kindOf(await predictions.predict({ ...ORDER, id: 'y' }))).toBe('b')
  gate.resolve(answer('a'))
  expect(kindOf(await first)).toBe('a')
  expect(world.asked).toEqual(['a', 'b'])
})

test('the second node has only the time that is left', async () => {
  const given: number[] = []
  const { world, predictions } = setup({
    a: () => {
      world.now = 800
      return { kind: 'lost' }
    },
    b: ({ maxMs }) => {
      given.push(maxMs)
      return answer('b')
    },
  })
  await predictions.predict(ORDER)
  expect(given).toEqual([200])
})

test('one that is late says so; one whose caller has left is asked of nobody else, and is not counted', async () => {
  const late = setup({ a: () => ({ kind: 'late' }) })
  expect(kindOf(await late.predictions.predict(ORDER))).toBe('deadline-exceeded')
  expect(late.predictions.counts.all()).toMatchObject([{ model: 'iris', failed: { count: 1 } }])
  const { world, predictions } = setup({
    a: () => {
      predictions.cancel('x')
      return { kind: 'lost' }
    },
    b: () => answer('b'),
  })
  expect((await predictions.predict(ORDER)).ok).toBe(false)
  expect(world).toMatchObject({ asked: ['a'], cancelled: ['x'] })
  expect(predictions.counts.all()).toEqual([])
  predictions.cancel('x')
  expect(world.cancelled).toEqual(['x'])
})

test('predictions under way have room for so many bytes together; more are refused until one is answered', async () => {
  const gate = Promise.withResolvers<Reply>()
  const { world, predictions } = setup({ a: () => gate.promise })
  const half = { ...ORDER, frame: new Uint8Array(MAX_BYTES / 2) }
  const first = [predictions.predict(half), predictions.predict({ ...half, id: 'y' })]
  const refusal = await predictions.predict({ ...ORDER, id: 'z' })
  expect(refusal).toMatchObject({ ok: false, problem: { kind: 'queue-full', retryAfterMs: 1_000 } })
  expect(world.asked).toEqual(['a', 'a'])
  gate.resolve(answer('a'))
  await Promise.all(first)
  expect(kindOf(await predictions.predict({ ...ORDER, id: 'z' }))).toBe('a')
})
