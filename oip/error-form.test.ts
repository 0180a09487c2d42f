import { expect, test } from 'bun:test'
import { ProblemError } from '@oriel/protocol/problem'
import { errorForm } from './error-form.ts'

test('a problem is told as {"error": …} with the time to come back', () => {
  const full = new ProblemError({ kind: 'queue-full', detail: 'Too many wait.', retryAfterMs: 1200 })
  expect(errorForm(full)).toEqual({
    status: 503,
    headers: { 'Content-Type': 'application/json', 'Retry-After': '2' },
    body: '{"error":"Too many wait."}',
  })
})

test('a mistake of the caller is 400 or 404', () => {
  const status = (kind: 'input-mismatch' | 'model-not-found' | 'too-large') =>
    errorForm(new ProblemError({ kind, detail: '' })).status
  expect([status('input-mismatch'), status('model-not-found'), status('too-large')]).toEqual([400, 404, 400])
})

test('a bug shows nothing of itself', () => {
  const { status, body } = errorForm(new TypeError('secret'))
  expect(status).toBe(500)
  expect(body).not.toContain('secret')
})
