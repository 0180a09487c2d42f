import { expect, test } from 'bun:test'
import { Placement, partitionOf } from '@oriel/protocol/placement'
import * as v from 'valibot'
import { firstPlan } from './plan.ts'

test('each bundled model has a partition of its own, and a model that is not mapped has the last', () => {
  const plan = v.parse(Placement, firstPlan(['storyteller', 'iris', 'sentiment']))
  expect(plan).toEqual({ partitions: 8, models: { iris: 0, sentiment: 1, storyteller: 2 } })
  expect(partitionOf(plan, 'iris')).toBe(0)
  expect(partitionOf(plan, 'new')).toBe(7)
})

test('more models than partitions go round, and leave the last one free', () => {
  const models = Array.from({ length: 20 }, (_, index) => `m${String(index).padStart(2, '0')}`)
  const used = Object.values(firstPlan(models, 4).models)
  expect(new Set(used)).toEqual(new Set([0, 1, 2]))
})

test('one partition is the last one too', () => {
  expect(firstPlan(['iris'], 1)).toEqual({ partitions: 1, models: { iris: 0 } })
})
