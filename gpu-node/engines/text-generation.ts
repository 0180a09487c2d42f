import { ProblemError } from '@oriel/protocol/problem'
import type { Clock } from '../clock.ts'
import { type Decoder, openDecoder } from './decoder.ts'
import type { Engine, StreamSession, Surroundings, Task } from './engine.ts'
import { DecoderConfig, endTokens, GenerationConfig, resolveGeneration } from './generation-config.ts'
import { isListed, readModelJson } from './model-file.ts'
import { openGraph } from './onnx-graph.ts'
import { Pace } from './pace.ts'
import { uniform } from './random.ts'
import { type Choice, sample } from './sampler.ts'
import { loadTokenizer, type TextTokenizer } from './text-tokenizer.ts'
import { Transcript } from './transcript.ts'

interface Parts {
  readonly clock: Clock
  readonly decoder: Decoder
  readonly tokenizer: TextTokenizer
  readonly generation: GenerationConfig
  readonly endTokens: ReadonlySet<number>
  readonly firstToken: number | undefined
  /** Tokens of prompt and answer together. */
  readonly context: number
}

/** A decoder in the layout of Hugging Face's exports. */
export const textGenerationEngine = (clock: Clock): Engine<StreamSession> => ({
  async load(model, options) {
    const config = await readModelJson(model, 'config.json', DecoderConfig)
    const file = 'generation_config.json'
    const generation = isListed(model, file)
      ? await readModelJson(model, file, GenerationConfig)
      : { do_sample: false, ...config }
    const tokenizer = await loadTokenizer(model)
    const graph = await openGraph(model, options)
    try {
      const parts = {
        clock,
        decoder: openDecoder(graph, config),
        tokenizer,
        generation,
        endTokens: endTokens(generation, config),
        firstToken: generation.bos_token_id ?? config.bos_token_id ?? undefined,
        context: config.max_position_embeddings ?? config.n_positions ?? tokenizer.maxLength,
      }
      return {
        kind: 'stream',
        run: (task, around) => generate(parts, task, around),
        dispose: () => graph.dispose(),
      } satisfies StreamSession
    } catch (error) {
      await graph.dispose()
      throw error
    }
  },
})

async function generate(parts: Parts, { input, parameters, seed, prior }: Task, around: Surroundings): Promise<void> {
  const { decoder, tokenizer, context, clock } = parts
  const { emit, signal, step } = around
  const { maxTokens, choice, stop, tokensPerSecond } = resolveGeneration(parameters, parts.generation)
  const prompt = await step(() => encodePrompt(parts, input))
  const transcript = new Transcript({
    decode: tokenizer.decode,
    prompt,
    stop,
    endTokens: parts.endTokens,
    maxTokens: Math.min(maxTokens, context - prompt.length),
    sent: prior.text,
  })
  const say = (response: string, tokens: readonly number[]) => {
    signal.throwIfAborted()
    emit({ response, tokens })
  }

  let unsaid = ''
  for (const token of prior.tokens) if (!transcript.finished) unsaid += transcript.accept(token)
  if (unsaid !== '') say(unsaid, [])
  if (transcript.finished) return

  const decoding = decoder.begin()
  const next = (tokens: readonly number[], position: number) =>
    step(async () => choose(await decoding.read(tokens), choice, seed, position))
  // The given tokens go in as they did in the first attempt, the prompt at once and each of them alone: the same
  // shapes give the same bits, and these the same choice.
  let token = await next(prompt, 0)
  for (const [index, given] of prior.tokens.entries()) token = await next([given], index + 1)

  const pace = new Pace(clock, tokensPerSecond)
  let tokens: number[] = []
  for (let position = prior.tokens.length + 1; ; position++) {
    await pace.next(signal)
    tokens.push(token)
    const text = transcript.accept(token)
    if (text !== '') {
      say(text, tokens)
      tokens = []
    }
    if (transcript.finished) return
    token = await next([token], position)
  }
}

function encodePrompt({ tokenizer, context, firstToken }: Parts, input: unknown): number[] {
  if (typeof input !== 'string') throw mismatch('expected a string')
  const tokens = tokenizer.encode(input)
  // Normalizing can leave nothing of a text.
  if (tokens.length === 0 && firstToken !== undefined) tokens.push(firstToken)
  if (tokens.length === 0) throw mismatch('nothing is left of it as tokens')
  if (tokens.length >= context) throw mismatch(`${tokens.length} tokens; the model takes fewer than ${context}`)
  return tokens
}

function choose(logits: Float32Array, choice: Choice, seed: number, position: number): number {
  const token = sample(logits, choice, uniform(seed, position))
  if (token !== undefined) return token
  throw new ProblemError({ kind: 'inference-failed', detail: 'The model computed no finite logits.' })
}

const mismatch = (rule: string) => new ProblemError({ kind: 'input-mismatch', detail: `input: ${rule}.` })
