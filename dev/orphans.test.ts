import { expect, test } from 'bun:test'
import { remainsOf } from './orphans.ts'

const leader = { pid: 100, start: 't1' }
const member = { pid: 101, parent: 1, group: 100, start: 't2' }

test('a group is recognised by its leader, and after the leader by its members', () => {
  const alive = { pid: 100, parent: 1, group: 100, start: 't1' }
  expect(remainsOf(leader, [alive, member])).toEqual([alive, member])
  expect(remainsOf(leader, [member])).toEqual([member])
  expect(remainsOf(leader, [])).toEqual([])
})

test('a process that got the pid later is nobody of ours, nor is its group', () => {
  const stranger = { pid: 100, parent: 1, group: 100, start: 't9' }
  expect(remainsOf(leader, [stranger, { ...member, start: 't10' }])).toEqual([])
})
