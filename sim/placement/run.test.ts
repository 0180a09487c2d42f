import { expect, test } from 'bun:test'
import { simulate } from './run.ts'

const small = {
  models: 2_000,
  nodes: 8,
  hours: 4,
  rate: 20,
  zipf: 1,
  memory: 24e9,
  partitions: 64,
  arrivals: 20,
  churn: 3,
  drift: 1,
  seed: 1,
}
const result = simulate(small)
const of = (name: string) => {
  const outcome = result.outcomes.find((outcome) => outcome.name === name)
  if (!outcome) throw new Error(`no ${name}`)
  return outcome
}

test('the planner reads less from disk than plain hashing, and its nodes are balanced better', () => {
  const [planner, plain] = [of('planner'), of('plain hashing')]
  expect(planner.misses).toBeLessThan(plain.misses)
  expect(planner.bytes).toBeLessThan(plain.bytes)
  expect(planner.moves).toBeLessThan(plain.moves / 2)
  expect(planner.balance.mean).toBeLessThan(plain.balance.mean)
})

test('it is balanced better than rendezvous hashing for hardly more misses', () => {
  const [planner, rendezvous] = [of('planner'), of('rendezvous hashing')]
  expect(planner.balance.mean).toBeLessThan(rendezvous.balance.mean)
  expect(planner.misses).toBeLessThan(rendezvous.misses * 1.15)
})

test('where hashing is made to balance as well, it reads far more', () => {
  expect(of('planner').misses).toBeLessThan(of('rendezvous, bounded').misses)
})

test('nothing is better than what hindsight allows', () => {
  for (const { misses, bytes, balance } of result.outcomes) {
    expect(misses).toBeGreaterThanOrEqual(result.bound.misses)
    expect(bytes).toBeGreaterThanOrEqual(result.bound.bytes)
    expect(balance.mean).toBeGreaterThanOrEqual(1)
  }
})

test('the same seed is the same day', () => {
  const short = { ...small, models: 200, hours: 1 }
  expect(simulate(short)).toEqual(simulate(short))
  expect(simulate({ ...short, seed: 2 })).not.toEqual(simulate(short))
})
