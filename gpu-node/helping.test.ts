import { expect, test } from 'bun:test'
import { mayHelp } from './helping.ts'

const quiet = { waiting: 0, running: 0, drain: 5, homes: 1 }
const elsewhere = (queue: Partial<typeof quiet>, hasModels = false) =>
  mayHelp({ queue: { ...quiet, ...queue }, hasModels, loadMs: 1_000 })

test('who has the models helps whenever the others have no hands free', () => {
  expect(elsewhere({}, true)).toBe(true)
})

test('who would have to load one helps when jobs wait for longer than that takes', () => {
  expect(elsewhere({})).toBe(false)
  expect(elsewhere({ waiting: 4, drain: 5 })).toBe(false)
  expect(elsewhere({ waiting: 6, drain: 5 })).toBe(true)
  expect(elsewhere({ waiting: 1, drain: 0 })).toBe(true)
})

test('when no home is left, or nobody plans, everybody helps', () => {
  expect(elsewhere({ homes: 0 })).toBe(true)
  expect(mayHelp({ queue: undefined, hasModels: false, loadMs: 1_000 })).toBe(true)
})
