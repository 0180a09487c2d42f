import { expect, test } from 'bun:test'
import { defaultBudget } from './memory-budget.ts'

const GB = 1e9

test('models get a share of the machine, or of what its container may have of it', () => {
  expect(defaultBudget(10 * GB, 0)).toBe(6 * GB)
  expect(defaultBudget(10 * GB, 5 * GB)).toBe(3 * GB)
  expect(defaultBudget(10 * GB, Number.MAX_SAFE_INTEGER)).toBe(6 * GB)
  expect(defaultBudget()).toBeGreaterThan(0)
})
