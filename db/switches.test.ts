import { expect, test } from 'bun:test'
import type { Problem } from '@oriel/protocol/problem'
import { nodeStatus } from '@oriel/protocol/testing'
import type { WarmAnswer } from '@oriel/protocol/warm-up'
import type { Switch } from './alias-table.ts'
import { Switches } from './switches.ts'

const change: Switch = { model: 'm', alias: 'production', from: '1', to: '2', turn: 1, registered: true }

/** Nodes `a` and `b`, which have version 1, and answer to a warm-up in turn what is given; time passes with every wait. */
function world(answers: (WarmAnswer | undefined)[], wanted: Switch[] = [change]) {
  const warm = new Set<string>()
  const asked: string[] = []
  const ended = Promise.withResolvers<'finished' | Problem>()
  let now = 0
  const copy = (version: string) => ({ name: 'm', version, state: 'loaded' as const })
  const switches = new Switches({
    table: {
      switches: async () => wanted,
      finish: async () => void ended.resolve('finished'),
      fail: async (_, problem) => ended.resolve(problem),
    },
    nodes: async () => ({
      statuses: ['a', 'b'].map((node) =>
        nodeStatus(node, { registry: true, models: [copy('1'), ...(warm.has(node) ? [copy('2')] : [])] }),
      ),
      homes: [],
    }),
    warm: async (node) => {
      asked.push(node)
      const answer = answers.shift()
      if (answer?.kind === 'warm') warm.add(node)
      return answer
    },
    onFinished: async () => {},
    now: () => now,
    wait: async (ms) => {
      now += ms
    },
    log: () => {},
  })
  return { switches, asked, ended: ended.promise, wanted }
}

const problem: Problem = { kind: 'model-unavailable', detail: 'The model failed on the sample of its manifest.' }

test('an alias moves when every node has the version warm, one asked after the other', async () => {
  const { switches, asked, ended } = world([{ kind: 'warm' }, undefined, { kind: 'warm' }])
  await switches.look()
  await switches.look() // it is under way already
  expect(await ended).toBe('finished')
  expect(asked).toEqual(['a', 'b', 'b'])
})

test('a node that cannot run the version ends the switch with its problem, and no other is asked', async () => {
  const { switches, asked, ended } = world([{ kind: 'warm' }, { kind: 'unfit', problem }])
  await switches.look()
  expect(await ended).toEqual(problem)
  expect(asked).toEqual(['a', 'b'])
})

test('a minute without progress ends the switch', async () => {
  const full: Problem = { kind: 'queue-full', detail: 'No memory for the model on this node.' }
  const { switches, asked, ended } = world(Array.from({ length: 100 }, () => ({ kind: 'unable', problem: full })))
  await switches.look()
  expect(await ended).toEqual(full)
  expect(asked).toHaveLength(61)
  const silent = world([])
  await silent.switches.look()
  expect(await silent.ended).toMatchObject({ kind: 'unavailable' })
})

test('a switch that was overtaken neither finishes nor fails', async () => {
  const { switches, asked, ended, wanted } = world([{ kind: 'unable', problem }])
  await switches.look()
  wanted.splice(0)
  await switches.look()
  const other = await Promise.race([ended, Bun.sleep(0).then(() => 'nothing')])
  expect(other).toBe('nothing')
  expect(asked.length).toBeLessThanOrEqual(1)
})
