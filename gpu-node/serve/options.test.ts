import { expect, test } from 'bun:test'
import { optionsHelp, parseOptions, ServeOptions } from './options.ts'

test('a folder is enough; the rest has defaults', () => {
  expect(parseOptions(['--models', 'models'])).toMatchObject({ models: 'models', http: 8000, host: '127.0.0.1' })
  expect(parseOptions(['--models', 'm', '--http', '0', '--watch'])).toMatchObject({ http: 0, watch: true })
})

test('what is wrong is told by option and rule, all at once', () => {
  expect(() => parseOptions([])).toThrow('--models: missing')
  expect(() => parseOptions(['--models', 'm', '--http', '70000', '--load', 'never'])).toThrow(
    /^--http: .*65535; --load: expected \("start" \| "use"\)$/,
  )
  expect(() => parseOptions(['--modles', 'm'])).toThrow("Unknown option '--modles'")
})

test('help names every option', () => {
  expect(parseOptions(['--help'])).toBe('help')
  for (const name of Object.keys(ServeOptions.entries)) expect(optionsHelp()).toContain(`--${name} `)
})
