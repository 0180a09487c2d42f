import { expect, test } from 'bun:test'
import { newRequestId } from '@oriel/protocol/ids'
import { ProblemError } from '@oriel/protocol/problem'
import { BystanderError } from './bystander-error.ts'
import { Suspects } from './suspects.ts'

const crash = { kind: 'host-crashed', detail: '' } as const
const id = newRequestId(0)

test('a request that ended a host is suspected until a run of it comes to an end', () => {
  const suspects = new Suspects()
  suspects.ran(id, new ProblemError(crash))
  expect(suspects.has(id)).toBe(true)
  suspects.ran(id, undefined)
  expect(suspects.has(id)).toBe(false)
})

test('a failure that leaves the host alive clears a request', () => {
  const suspects = new Suspects()
  suspects.ran(id, new ProblemError(crash))
  suspects.ran(id, new ProblemError({ kind: 'inference-failed', detail: '' }))
  expect(suspects.has(id)).toBe(false)
})

test('two losses that may have been its fault make a suspect, and none that was not its fault', () => {
  const suspects = new Suspects()
  for (let loss = 0; loss < 5; loss++) suspects.ran(id, new BystanderError(crash, false))
  expect(suspects.has(id)).toBe(false)
  suspects.ran(id, new BystanderError(crash, true))
  expect(suspects.has(id)).toBe(false)
  suspects.ran(id, new BystanderError(crash, true))
  expect(suspects.has(id)).toBe(true)
})
