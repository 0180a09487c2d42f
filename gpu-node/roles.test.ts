import { expect, test } from 'bun:test'
import { BACKLOG_STALE_MS } from '@oriel/protocol/backlog'
import { Roles } from './roles.ts'

const plan = { partitions: 3, models: { iris: 0, fox: 1 }, homes: [['a'], ['b'], []] }
const queue = { waiting: 0, running: 0, drain: 1, homes: 1 }
const backlog = { partitions: [queue, queue, queue] }

function rolesOf(node: string) {
  const state = { now: 0, loaded: new Set<string>() }
  const roles = new Roles({ node, loaded: () => state.loaded, loadMs: 1_000, now: () => state.now })
  roles.follow(plan)
  return { roles, state, all: () => roles.now() }
}

test('a node is at home where the plan says so, and where it says nothing', () => {
  const { roles, all } = rolesOf('a')
  roles.told(backlog)
  expect(all()).toEqual(['home', 'away', 'home'])
})

test('with the models of another partition in memory it helps there', () => {
  const { roles, state, all } = rolesOf('a')
  roles.told(backlog)
  state.loaded = new Set(['fox'])
  expect(all()).toEqual(['home', 'helper', 'home'])
})

test('when the planner has fallen silent it helps everywhere', () => {
  const { roles, state, all } = rolesOf('a')
  expect(all()).toEqual(['home', 'helper', 'home'])
  roles.told(backlog)
  state.now = BACKLOG_STALE_MS + 1
  expect(all()).toEqual(['home', 'helper', 'home'])
})

test('a new plan counts at once', () => {
  const { roles, all } = rolesOf('c')
  roles.told(backlog)
  expect(all()).toEqual(['away', 'away', 'home'])
  roles.follow({ ...plan, homes: [['c'], ['b'], []] })
  expect(all()).toEqual(['home', 'away', 'home'])
})
