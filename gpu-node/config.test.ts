import { expect, test } from 'bun:test'
import { Config, configHelp, parseConfig } from './config.ts'

test('with nothing set, a node runs against a broker on this machine', () => {
  const config = parseConfig({})
  expect(config).toMatchObject({
    ORIEL_NATS_URL: 'nats://127.0.0.1:4222',
    ORIEL_SLOTS: 32,
    ORIEL_EXIT_WITH_PARENT: false,
  })
  expect(config.ORIEL_HOSTS).toBeGreaterThanOrEqual(1)
  expect(config.ORIEL_NODE_NAME).toEndWith(`-${process.pid}`)
})

test('an empty variable is one that was not set', () => {
  expect(parseConfig({ ORIEL_SLOTS: '', ORIEL_NATS_USER: '' })).toMatchObject({ ORIEL_SLOTS: 32 })
})

test('a failure names every wrong variable and prints no value', () => {
  const wrong = {
    ORIEL_SLOTS: 'many-secret',
    ORIEL_HOSTS: '0',
    ORIEL_NODE_NAME: 'a secret',
    ORIEL_EXIT_WITH_PARENT: 'yes',
  }
  const parse = () => parseConfig(wrong)
  for (const name of Object.keys(wrong)) expect(parse).toThrow(name)
  expect(parse).not.toThrow(/secret|yes/)
})

test('the help has a sentence for every variable', () => {
  const help = configHelp().split('\n')
  for (const name of Object.keys(Config.entries)) {
    expect(help.find((line) => line.trim().startsWith(name))).toMatch(/^ {2}\S+ +[A-Z0-9].*[.)]$/)
  }
})
