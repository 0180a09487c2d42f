import { expect, test } from 'bun:test'
import { tallyOf } from './test-run.ts'

test('passed are the tests that neither failed nor were skipped', () => {
  const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="10" assertions="20" failures="2" skipped="3" time="0.1">
  <testsuite name="a.test.ts" tests="4" failures="4" skipped="4">`
  expect(tallyOf(report)).toEqual({ passed: 5, failed: 2 })
})

test('half a report is none', () => {
  expect(tallyOf('<?xml version="1.0"')).toBeUndefined()
})
