import { expect, test } from 'bun:test'
import fc from 'fast-check'
import * as v from 'valibot'
import type { RequestEvent } from './event.ts'
import { Ended, endedFacts } from './fact.ts'
import { newRequestId } from './ids.ts'
import { MAX_PAYLOAD_BYTES } from './streams.ts'

const id = newRequestId(0)

test('a log of any size is told whole, in parts that the broker takes', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 8 }), (sizes) => {
      const events: RequestEvent[] = sizes.map((size, index) => ({
        n: index + 1,
        at: 0,
        type: 'responses',
        response: 'x'.repeat(size),
      }))
      events.push({ n: sizes.length + 1, at: 7, type: 'completed' })
      const facts = endedFacts(id, events)
      expect(facts.flatMap((fact) => fact.events)).toEqual(events)
      expect(facts.map(({ part }) => part)).toEqual(facts.map((_, index) => index))
      for (const fact of facts) {
        expect(v.is(Ended, fact)).toBe(true)
        expect(fact.parts).toBe(facts.length)
        expect(JSON.stringify(fact).length).toBeLessThan(MAX_PAYLOAD_BYTES)
      }
    }),
    { numRuns: 30 },
  )
})

test('a failure carries its problem', () => {
  const problem = { kind: 'inference-failed', detail: 'No.' } as const
  const [fact] = endedFacts(id, [{ n: 1, at: 3, type: 'failed', problem, retriable: false }])
  expect(fact).toMatchObject({ status: 'failed', endedAt: 3, problem })
})

test('a log without an end makes no facts', () => {
  expect(() => endedFacts(id, [{ n: 1, at: 0, type: 'queued', position: 0 }])).toThrow('no terminal event')
})
