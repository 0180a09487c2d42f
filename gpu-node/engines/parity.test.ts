import { expect, test } from 'bun:test'
import { join } from 'node:path'
import * as v from 'valibot'
import { systemClock } from '../clock.ts'
import { scanModels } from '../model-folder.ts'
import type { LocalModel } from '../model-runner.ts'
import { ENGINES } from './engines.ts'
import { inferItem } from './testing/infer-item.ts'
import { runSession } from './testing/run-session.ts'
import { textGenerationEngine } from './text-generation.ts'
import { loadTokenizer } from './text-tokenizer.ts'

// Each bundled model against its trainer's own outputs, which lie beside it.

const folder = await scanModels(join(import.meta.dir, '../../models'))

const readParity = async <S extends v.GenericSchema>(model: LocalModel, Case: S): Promise<v.InferOutput<S>[]> => {
  const Parity = v.object({ cases: v.pipe(v.array(Case), v.minLength(1)) })
  return v.parse(Parity, await Bun.file(join(model.dir, 'parity.json')).json()).cases
}

const find = (name: string): LocalModel => {
  const model = folder.models.find(({ manifest }) => manifest.name === name)
  if (!model) throw new Error(`${name} is not in the models folder`)
  return model
}

const load = (model: LocalModel) => ENGINES[model.manifest.engine].load(model, { threads: 1 })

test('the bundled models are whole', () => {
  expect(folder.problems).toEqual([])
  expect(folder.models.map(({ manifest }) => manifest.name)).toEqual(['iris', 'sentiment', 'storyteller'])
})

test('iris gives the labels and probabilities of scikit-learn', async () => {
  const Case = v.object({
    input: v.unknown(),
    output: v.object({ label: v.string(), probabilities: v.array(v.number()) }),
  })
  const session = await load(find('iris'))
  for (const { input, output } of await readParity(find('iris'), Case)) {
    expect(await inferItem(find('iris'), session, input)).toEqual({
      label: output.label,
      probabilities: output.probabilities.map((value) => expect.closeTo(value, 5)),
    })
  }
})

test('sentiment gives the tokens, labels and scores of its trainer', async () => {
  const Case = v.object({
    text: v.string(),
    ids: v.array(v.number()),
    label: v.string(),
    scores: v.record(v.string(), v.number()),
  })
  const session = await load(find('sentiment'))
  const tokenizer = await loadTokenizer(find('sentiment'))
  for (const { text, ids, label, scores } of await readParity(find('sentiment'), Case)) {
    expect(tokenizer.encode(text)).toEqual(ids)
    const close = Object.entries(scores).map(([name, score]) => [name, expect.closeTo(score, 3)])
    expect(await inferItem(find('sentiment'), session, text)).toEqual({ label, scores: Object.fromEntries(close) })
  }
})

test('storyteller goes on with the tokens that its trainer would take', async () => {
  const Case = v.object({
    prompt: v.string(),
    ids: v.array(v.number()),
    greedy: v.object({ ids: v.array(v.number()), text: v.string() }),
  })
  const session = await textGenerationEngine(systemClock).load(find('storyteller'), { threads: 1 })
  const tokenizer = await loadTokenizer(find('storyteller'))
  for (const { prompt, ids, greedy } of await readParity(find('storyteller'), Case)) {
    expect(tokenizer.encode(prompt)).toEqual(ids)
    const outputs = await runSession(session, {
      input: prompt,
      parameters: { temperature: 0, maxTokens: greedy.ids.length },
    })
    expect(outputs.flatMap((output) => output.tokens)).toEqual(greedy.ids)
    expect(outputs.map((output) => output.response).join('')).toBe(greedy.text)
  }
})

test('storyteller, taken over in the middle, goes on with the very tokens that it would have taken', async () => {
  const session = await textGenerationEngine(systemClock).load(find('storyteller'), { threads: 1 })
  const task = {
    input: 'The little fox',
    seed: 11,
    parameters: { temperature: 1, topK: 0, topP: 0.98, maxTokens: 60, stop: ['The end'] },
  }
  const whole = await runSession(session, task)
  for (let cut = 1; cut < whole.length; cut += 7) {
    const before = whole.slice(0, cut)
    const tokens = before.flatMap((output) => output.tokens ?? [])
    const prior = { tokens, text: before.map((output) => output.response).join('') }
    expect(await runSession(session, { ...task, prior })).toEqual(whole.slice(cut))
  }
})
