import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProblemError } from '@oriel/protocol/problem'
import fc from 'fast-check'
import { systemClock } from '../clock.ts'
import { Steps } from '../host/steps.ts'
import type { Output } from '../model-runner.ts'
import { ManualClock, settled } from '../testing/manual-clock.ts'
import { type GraphDef, onnxBytes } from './testing/onnx-bytes.ts'
import { runSession } from './testing/run-session.ts'
import { writeModel } from './testing/test-model.ts'
import { type TinyDecoderOptions, tinyDecoder } from './testing/tiny-decoder.ts'
import { byteLevelTokenizer } from './testing/tokenizers.ts'
import { textGenerationEngine } from './text-generation.ts'

const root = mkdtempSync(join(tmpdir(), 'oriel-generation-'))
afterAll(() => rmSync(root, { recursive: true }))

const load = (options: TinyDecoderOptions = {}, clock = systemClock) =>
  textGenerationEngine(clock).load(tinyDecoder(root, options), { threads: 1 })
const babbler = await load()

const identity = (inputs: readonly string[], output: string): GraphDef => ({
  inputs: inputs.map((name) => ({ name, type: 'int64', shape: ['b', 's'] })),
  outputs: [{ name: output, type: 'int64', shape: ['b', 's'] }],
  nodes: [{ op: 'Identity', inputs: ['input_ids'], outputs: [output] }],
})

const textOf = (outputs: readonly Output[]) => outputs.map((output) => String(output.response)).join('')
const tokensOf = (outputs: readonly Output[]) => outputs.flatMap((output) => output.tokens ?? [])
const problemOf = (error: unknown) => (error instanceof ProblemError ? error.problem : String(error))

const parameters = fc.record({
  temperature: fc.constantFrom(0, 0.7, 1.5),
  topK: fc.constantFrom(0, 20),
  topP: fc.constantFrom(1, 0.9),
  maxTokens: fc.integer({ min: 1, max: 30 }),
  stop: fc.array(fc.constantFrom('W', 'gW', '\uFFFDs', '\uFFFD\uFFFD', 'ȪU', '%Y'), { maxLength: 3 }),
})
const seed = fc.nat(1000)

test('a generation that is cut after any of its outputs goes on as if it had not been', async () => {
  await fc.assert(
    fc.asyncProperty(parameters, seed, async (how, seed) => {
      const task = { input: 'Once upon', seed, parameters: how }
      const whole = await runSession(babbler, task)
      for (let cut = 0; cut <= whole.length; cut++) {
        const before = whole.slice(0, cut)
        const prior = { tokens: tokensOf(before), text: textOf(before) }
        expect(await runSession(babbler, { ...task, prior })).toEqual(whole.slice(cut))
      }
    }),
    { numRuns: 60 },
  )
})

test('outputs that the writer has joined are continued just the same', async () => {
  const task = { input: 'Once', seed: 5, parameters: { temperature: 1, maxTokens: 40 } }
  const whole = await runSession(babbler, task)
  const half = whole.slice(0, whole.length >> 1)
  const prior = { tokens: tokensOf(half), text: textOf(half) }
  const rest = await runSession(babbler, { ...task, prior })
  expect(textOf(half) + textOf(rest)).toBe(textOf(whole))
  expect([...tokensOf(half), ...tokensOf(rest)]).toEqual(tokensOf(whole))
})

test('the joined responses are the text of the tokens, up to the first stop string', async () => {
  await fc.assert(
    fc.asyncProperty(parameters, seed, async (how, seed) => {
      const free = await runSession(babbler, { input: 'a', seed, parameters: { ...how, stop: [] } })
      const stopped = await runSession(babbler, { input: 'a', seed, parameters: how })
      const text = textOf(free)
      const ends = [...text].length === 0 ? [] : Array.from(text, (_, index) => index + 1)
      const end = ends.find((end) => how.stop.some((stop) => text.slice(0, end).endsWith(stop)))
      const longest = Math.max(0, ...how.stop.filter((stop) => text.slice(0, end).endsWith(stop)).map((s) => s.length))
      expect(textOf(stopped)).toBe(end === undefined ? text : text.slice(0, end - longest))
    }),
    { numRuns: 200 },
  )
})

test('the same seed gives the same tokens, another seed others', async () => {
  const with_ = (seed: number) =>
    runSession(babbler, { input: 'Once', seed, parameters: { temperature: 2, maxTokens: 20 } })
  expect(await with_(1)).toEqual(await with_(1))
  expect(tokensOf(await with_(1))).not.toEqual(tokensOf(await with_(2)))
})

test('no more tokens are made than asked for', async () => {
  for (const maxTokens of [1, 2, 7]) {
    const outputs = await runSession(babbler, { input: 'Once', parameters: { maxTokens } })
    expect(tokensOf(outputs).length).toBeLessThanOrEqual(maxTokens)
    expect(textOf(outputs)).not.toBe('')
  }
})

test('the end of the context ends the text, and a prompt that fills it is refused', async () => {
  const long = 'x'.repeat(60)
  expect(tokensOf(await runSession(babbler, { input: long, parameters: { maxTokens: 50 } })).length).toBeLessThan(5)
  const error = await runSession(babbler, { input: 'x'.repeat(64) }).catch((error) => error)
  expect(problemOf(error)).toEqual({
    kind: 'input-mismatch',
    detail: 'input: 64 tokens; the model takes fewer than 64.',
  })
})

test('an end token ends the text and has none itself', async () => {
  const [first, second, third] = tokensOf(
    await runSession(babbler, { input: 'Once', parameters: { maxTokens: 6, temperature: 0 } }),
  )
  const ending = await load({ generation: { eos_token_id: [third ?? -1, 260] } })
  const outputs = await runSession(ending, { input: 'Once', parameters: { maxTokens: 6, temperature: 0 } })
  const last = tokensOf(outputs).at(-1)
  expect([first, second, third]).toContain(last)
  expect(tokensOf(outputs).length).toBeLessThanOrEqual(3)
})

test('a prior that is complete is finished without a word', async () => {
  const task = { input: 'Once', parameters: { maxTokens: 8, temperature: 0 } }
  const whole = await runSession(babbler, task)
  const prior = { tokens: tokensOf(whole), text: textOf(whole) }
  expect(await runSession(babbler, { ...task, prior })).toEqual([])
})

test('text that was held back when the last token came, and then lost, is sent', async () => {
  const task = { input: 'Once', parameters: { maxTokens: 8, temperature: 0 } }
  const whole = await runSession(babbler, task)
  const prior = { tokens: tokensOf(whole), text: textOf(whole).slice(0, 2) }
  expect(textOf(await runSession(babbler, { ...task, prior }))).toBe(textOf(whole).slice(2))
})

test('runs take turns, and each is what it is alone', async () => {
  const steps = new Steps(() => {})
  const order: number[] = []
  const one = (run: number) => ({ input: `run ${run}`, seed: run, parameters: { temperature: 1, maxTokens: 12 } })
  const alone = await Promise.all([1, 2, 3].map((run) => runSession(babbler, one(run))))
  const together = await Promise.all(
    [1, 2, 3].map(async (run) => {
      const outputs: Output[] = []
      const step = <T>(work: () => T | Promise<T>) => {
        order.push(run)
        return steps.take(run, work)
      }
      const around = { emit: (output: Output) => outputs.push(output), step, signal: new AbortController().signal }
      await babbler.run({ ...one(run), prior: { tokens: [], text: '' } }, around)
      return outputs
    }),
  )
  expect(together).toEqual(alone)
  expect(order.slice(0, 9)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3])
})

test('an abort between tokens ends the run, and nothing more is said', async () => {
  const abort = new AbortController()
  const outputs: Output[] = []
  const error = await runSession(babbler, {
    input: 'Once',
    parameters: { maxTokens: 50, temperature: 1 },
    signal: abort.signal,
    onOutput(output) {
      outputs.push(output)
      if (outputs.length === 3) abort.abort()
    },
  }).catch((error) => error)
  expect(error.name).toBe('AbortError')
  expect(outputs).toHaveLength(3)
})

test('paced tokens come by a schedule, and an abort does not wait for the next', async () => {
  const clock = new ManualClock()
  const slow = await load({}, clock)
  const outputs: Output[] = []
  const abort = new AbortController()
  const run = runSession(slow, {
    input: 'Once',
    parameters: { maxTokens: 50, tokensPerSecond: 4 },
    signal: abort.signal,
    onOutput: (output) => outputs.push(output),
  }).catch((error) => error)
  const until = async (count: number) => {
    while (clock.timers === 0) await settled()
    expect(tokensOf(outputs).length).toBeLessThanOrEqual(count)
  }
  await until(1)
  for (let token = 2; token <= 4; token++) {
    await clock.advance(250)
    await until(token)
  }
  expect(tokensOf(outputs).length).toBeGreaterThan(0)
  abort.abort()
  expect((await run).name).toBe('AbortError')
  expect(clock.timers).toBe(0)
})

test('exports with position ids, a cache branch, half precision or GPT-2’s names run as well', async () => {
  const task = { input: 'Once', parameters: { temperature: 0, maxTokens: 12 } }
  const plain = await runSession(babbler, task)
  expect(await runSession(await load({ positions: true, cacheBranch: true }), task)).toEqual(plain)
  expect(tokensOf(await runSession(await load({ half: true }), task)).length).toBeGreaterThan(0)
  const gpt2 = await load({ config: { max_position_embeddings: undefined, n_positions: 8, n_head: 1, n_embd: 16 } })
  expect(tokensOf(await runSession(gpt2, task)).length).toBeLessThanOrEqual(4)
})

test('what the caller and the manifest leave open is as the model’s makers have it', async () => {
  const made = await load({ generation: { do_sample: true, temperature: 1.5, top_k: 30, max_new_tokens: 9 } })
  const task = { input: 'Once', seed: 3 }
  const same = { temperature: 1.5, topK: 30, maxTokens: 9 }
  expect(await runSession(made, task)).toEqual(await runSession(babbler, { ...task, parameters: same }))
})

test.each<[name: string, files: Record<string, Uint8Array | string>, detail: string]>([
  ['no tokenizer', { 'config.json': '{}' }, 'the manifest lists no tokenizer.json'],
  ['a tokenizer of no known kind', { 'tokenizer.json': '{"model":{"type":"none"}}' }, 'tokenizer.json: '],
  ['a configuration of other types', { 'config.json': '{"n_head":"many"}' }, 'config.json: n_head: '],
  ['a graph without a cache', { 'model.onnx': onnxBytes(identity(['input_ids'], 'logits')) }, 'no key-value cache'],
  ['a graph that wants more', { 'model.onnx': onnxBytes(identity(['input_ids', 'pixels'], 'logits')) }, 'wants pixels'],
])('a model with %s is refused at load', async (name, files, detail) => {
  const whole = { 'config.json': '{}', 'tokenizer.json': JSON.stringify(byteLevelTokenizer()), 'model.onnx': '' }
  const given = name === 'no tokenizer' ? files : { ...whole, ...files }
  const model = writeModel(root, { name: 'unfit', engine: 'text-generation' }, given)
  const error = await textGenerationEngine(systemClock)
    .load(model, { threads: 1 })
    .catch((error) => error)
  expect(problemOf(error)).toEqual({ kind: 'model-unavailable', detail: expect.stringContaining(detail) })
})
