import { expect, test } from 'bun:test'
import type { Letter } from '@oriel/core-actors/dead-letters'
import { ProblemError } from '@oriel/protocol/problem'
import { requeueAll } from './bulk-requeue.ts'

const dead = { at: 0, node: '', deliveries: 1, problem: { kind: 'internal', detail: '' }, attempts: [] } as const
const lettersOf = (ids: string): Letter[] =>
  [...ids].map((id, sequence) => ({ id, model: 'iris', sequence, dead: { ...dead, attempts: [] } }))
const away = { kind: 'unavailable', detail: 'away', retryAfterMs: 2_000 } as const

/** Letters in capitals are never requeued, those before `until` can be, and then the database is away. */
async function run(ids: string, until = '~', whole = false) {
  const asked: string[] = []
  const requeue = async ({ id }: Letter) => {
    asked.push(id)
    if (id >= until) throw new ProblemError(away)
    if (id < 'a') throw new ProblemError({ kind: 'not-requeueable', detail: 'no job' })
    return { id, requestID: id, status: 'queued', sentAt: '' } as const
  }
  const answer = await requeueAll(lettersOf(ids), 'next', { requeue, isWhole: async () => whole })
  const { requeued, refused, ...rest } = answer
  return { asked, requeued: requeued.map(({ id }) => id), refused: refused.map(({ id }) => id), ...rest }
}

test('what one refuses does not hold up the rest', async () => {
  const { asked, ...answer } = await run('aBc')
  expect(answer).toEqual({ requeued: ['a', 'c'], refused: ['B'], nextCursor: 'next' })
  expect(asked).toEqual(['a', 'B', 'c'])
})

test('an outage ends it at the first letter that meets it, and the cursor leads to that letter', async () => {
  expect(await run('aBcdef', 'd')).toEqual({
    asked: ['a', 'B', 'c', 'd'],
    requeued: ['a', 'c'],
    refused: ['B'],
    nextCursor: 'c',
    stopped: away,
  })
  expect(await run('Bcdef', 'c')).toMatchObject({ requeued: [], refused: ['B'], nextCursor: 'B', stopped: away })
})

test('an outage at the first letter is told as such: there is nothing to go on from', async () => {
  await expect(run('abc', 'a')).rejects.toMatchObject({ problem: away })
})

test('a letter that is only too young is refused like others, when all parts are there', async () => {
  const { asked, ...answer } = await run('abz', 'z', true)
  expect(answer).toEqual({ requeued: ['a', 'b'], refused: ['z'], nextCursor: 'next' })
  expect(asked).toEqual(['a', 'b', 'z'])
})
