import { expect, test } from 'bun:test'
import { failedBy } from './failure.ts'

test('a failure says that sending it again may help, unless it would be the same each time', () => {
  expect(failedBy({ kind: 'host-crashed', detail: 'It died.' })).toEqual({
    type: 'failed',
    problem: { kind: 'host-crashed', detail: 'It died.' },
    retriable: true,
  })
  expect(failedBy({ kind: 'input-mismatch', detail: '' }).retriable).toBe(false)
})
