import { expect, test } from 'bun:test'
import * as v from 'valibot'
import { Submission } from './api.ts'
import { describeIssues, ProblemError, toProblem } from './problem.ts'

const describe = (input: unknown) => {
  const result = v.safeParse(Submission, input)
  return result.success ? '' : describeIssues(result.issues)
}

test('what is wrong is told by path and rule, without the value', () => {
  expect(describe({ modelID: 'iris', request: { inpt: 1 } })).toBe(
    'request.input: missing; request.inpt: unknown field',
  )
  expect(describe({ modelID: 'No Such', request: { input: 1, timeoutMs: 'soon' } })).not.toContain('soon')
  expect(describe({ request: { input: 1 } })).toContain('modelID: missing')
  expect(describe(3)).toContain('the whole')
})

test('only a ProblemError shows what it says', () => {
  const problem = { kind: 'queue-full', detail: 'Full.' } as const
  expect(toProblem(new ProblemError(problem))).toEqual(problem)
  expect(toProblem(new Error('postgres://user:secret@host')).detail).not.toContain('secret')
})
