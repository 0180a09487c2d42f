import { expect, test } from 'bun:test'
import { missing } from './nats-server.ts'

test('without a server the error says what was tried and how brew, apt and Go bring one', () => {
  const text = missing(['none on the PATH', 'no Go to build it with'])
  expect(text).toContain('- none on the PATH')
  expect(text).toContain('- no Go to build it with')
  expect(text).toContain('brew install nats-server')
  expect(text).toContain('apt install nats-server')
  expect(text).toContain('go install github.com/nats-io/nats-server/v2@v2.15.2')
})
