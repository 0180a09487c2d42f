import { expect, test } from 'bun:test'
import { Volume } from '@oriel/protocol/volume'
import * as v from 'valibot'
import { Asked } from './asked.ts'

test('what was asked is told once, and nothing when nothing was', () => {
  const told: [string, unknown][] = []
  const connection = { publish: (subject: string, data: unknown) => void told.push([subject, data]) }
  const asked = new Asked()
  asked.tell(connection, 3)
  expect(told).toEqual([])
  for (const model of ['iris', 'sentiment', 'iris']) asked.for(model)
  asked.tell(connection, 3)
  asked.tell(connection, 3)
  expect(told).toHaveLength(1)
  expect(told[0]?.[0]).toBe('volume.3')
  expect(v.parse(v.pipe(v.string(), v.parseJson(), Volume), told[0]?.[1])).toEqual({
    shard: 3,
    counts: { iris: 2, sentiment: 1 },
  })
})
