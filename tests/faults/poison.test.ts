import { beforeAll, expect, test } from 'bun:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { Dead } from '@oriel/protocol/dead'
import { DEAD } from '@oriel/protocol/subjects'
import * as v from 'valibot'
import type { Received } from '../support/client.ts'
import { textOf, typesOf } from '../support/client.ts'
import { useStack } from '../support/stack.ts'

// One host: whoever runs at the same time as the poison is in the host that it takes down.
const stack = useStack({ models: ['poison'], nodeEnv: { ORIEL_HOSTS: '1' } })
const story = { input: 'Once upon a time', parameters: { maxTokens: 60, seed: 11, tokensPerSecond: 10 } }

let uninterrupted = ''
beforeAll(async () => {
  const alice = await stack.client('alice')
  const quick = { ...story, parameters: { ...story.parameters, tokensPerSecond: 100 } }
  uninterrupted = textOf(await alice.follow((await alice.submit('storyteller', quick)).requestID))
}, 60_000)

const attemptsOf = (events: readonly Received[]) =>
  events.flatMap(({ type, data }) => (type === 'started' ? [data.attempt] : []))

test('a job that ends every host it meets fails when its budget is spent, and costs no other an attempt', async () => {
  const alice = await stack.client('alice')
  const stories = await Promise.all(Array.from({ length: 3 }, () => alice.submit('storyteller', story)))
  const tellings = stories.map(({ requestID }) => alice.follow(requestID))
  const { requestID } = await alice.submit('poison', { input: { times: 3_000_000_000 } })
  const events = await alice.follow(requestID)
  expect(typesOf(events).filter((type) => !['queued', 'progress'].includes(type))).toEqual([
    'started',
    'retrying',
    'started',
    'retrying',
    'started',
    'failed',
  ])
  expect(attemptsOf(events)).toEqual([1, 2, 3])
  expect(events.at(-1)?.data).toMatchObject({ problem: { kind: 'host-hung' }, retriable: true })

  const told = await Promise.all(tellings)
  for (const telling of told) {
    expect(textOf(telling)).toBe(uninterrupted)
    expect(typesOf(telling).at(-1)).toBe('completed')
    expect(new Set(attemptsOf(telling))).toEqual(new Set([1]))
  }
  // They were in the first host that it took down, and in no other: from then on it was alone.
  expect(told.map((telling) => attemptsOf(telling).length)).toEqual([2, 2, 2])

  const nc = await stack.stack.nats('admin')
  const { streams } = await jetstreamManager(nc)
  const find = () => streams.getMessage(DEAD, { last_by_subj: 'dead.poison.*' })
  // The letter is written after the end that clients see.
  await stack.until(async () => (await find()) !== null)
  const dead = v.parse(Dead, (await find())?.json())
  expect(dead).toMatchObject({ problem: { kind: 'host-hung' }, job: { input: { times: 3_000_000_000 } } })
  expect(dead.attempts.map(({ attempt, problem }) => [attempt, problem?.kind])).toEqual([
    [1, 'host-hung'],
    [2, 'host-hung'],
    [3, 'host-hung'],
  ])
  await nc.close()
}, 120_000)
