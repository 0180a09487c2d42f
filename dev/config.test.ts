import { expect, test } from 'bun:test'
import { configHelp, parseConfig } from './config.ts'

test('nothing set gives the defaults, and an empty variable is one that is not set', () => {
  expect(parseConfig({ ORIEL_PORT: '' })).toMatchObject({ ORIEL_PORT: 8787, ORIEL_STATE_DIR: '.oriel' })
  expect(parseConfig({ ORIEL_PORT: '0' }).ORIEL_PORT).toBe(0)
})

test.each(['70000', '-1', 'http', '80.5'])('ORIEL_PORT=%s is refused by name', (value) => {
  expect(() => parseConfig({ ORIEL_PORT: value })).toThrow('ORIEL_PORT')
})

test('the help names every variable', () => {
  expect(configHelp()).toContain('ORIEL_STATE_DIR')
})
