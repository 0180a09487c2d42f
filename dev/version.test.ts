import { expect, test } from 'bun:test'
import { isAtLeast, parseVersion } from './version.ts'

const least = { major: 2, minor: 12, patch: 0 }

test.each([
  ['nats-server: v2.15.2', { major: 2, minor: 15, patch: 2 }],
  ['nats-server: v2.12.0-RC.3', { major: 2, minor: 12, patch: 0 }],
  ['go version go1.26 linux/amd64', undefined],
  ['go1.26.8', undefined],
  ['dev', undefined],
  ['', undefined],
])('%p is the version %p', (text, version) => {
  expect(parseVersion(text)).toEqual(version)
})

test.each([
  ['2.9.25', false],
  ['2.11.99', false],
  ['2.12.0', true],
  ['2.15.1', true],
  ['3.0.0', true],
  ['1.99.0', false],
])('%p is at least 2.12: %p', (text, expected) => {
  const version = parseVersion(text)
  expect(version && isAtLeast(version, least)).toBe(expected)
})
