import { expect, test } from 'bun:test'
import { lostEnd } from '@oriel/protocol/lost-end'
import { jobOf } from './job-of.ts'
import { takeUp } from './take-up.ts'
import { openRequest } from './testing.ts'

test('a failed request whose log is lost has nothing to go on from, and no part of a log is written for it', async () => {
  const asked: unknown[] = []
  const relay = {
    requeue: async (order: object) => {
      asked.push(order)
      return { ok: true, requeued: { kind: 'incomplete' } } as const
    },
  }
  const record = { log: async () => [lostEnd({ status: 'failed', n: 4, at: 4 })] }
  const outcome = await takeUp(relay, record, jobOf(openRequest(), 2), 4)
  expect(outcome).toMatchObject({ ok: false, problem: { kind: 'not-requeueable' } })
  expect(asked).toMatchObject([{ failure: { n: 4 } }])
})
