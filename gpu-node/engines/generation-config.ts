import * as v from 'valibot'

const number = v.nullish(v.number())
const token = v.nullish(v.number())
const tokens = v.nullish(v.union([v.number(), v.array(v.number())]))

/** Of a decoder's `config.json`: the Llama family's names, and GPT-2's for the same things. */
export const DecoderConfig = v.object({
  max_position_embeddings: number,
  n_positions: number,
  num_attention_heads: number,
  n_head: number,
  num_key_value_heads: number,
  head_dim: number,
  hidden_size: number,
  n_embd: number,
  bos_token_id: token,
  eos_token_id: tokens,
})
export type DecoderConfig = v.InferOutput<typeof DecoderConfig>

/** `generation_config.json`: what the model's makers would choose where the caller and the manifest say nothing. */
export const GenerationConfig = v.object({
  do_sample: v.nullish(v.boolean(), false),
  temperature: number,
  top_k: number,
  top_p: number,
  max_new_tokens: number,
  bos_token_id: token,
  eos_token_id: tokens,
})
export type GenerationConfig = v.InferOutput<typeof GenerationConfig>

/** The parameters that the engine knows, whichever of them a manifest declares. */
const GenerationParameters = v.object({
  maxTokens: v.optional(v.number()),
  temperature: v.optional(v.number()),
  topK: v.optional(v.number()),
  topP: v.optional(v.number()),
  stop: v.optional(v.array(v.string()), []),
  tokensPerSecond: v.optional(v.number(), 0),
})

export interface Generation {
  readonly maxTokens: number
  readonly choice: { readonly temperature: number; readonly topK: number; readonly topP: number }
  readonly stop: readonly string[]
  /** 0: as fast as it can. */
  readonly tokensPerSecond: number
}

export function resolveGeneration(parameters: unknown, config: GenerationConfig): Generation {
  const given = v.parse(GenerationParameters, parameters)
  const usual = config.do_sample ? (config.temperature ?? 1) : 0
  return {
    maxTokens: given.maxTokens ?? config.max_new_tokens ?? Number.POSITIVE_INFINITY,
    choice: {
      temperature: given.temperature ?? usual,
      topK: given.topK ?? config.top_k ?? 0,
      topP: given.topP ?? config.top_p ?? 1,
    },
    stop: given.stop,
    tokensPerSecond: given.tokensPerSecond,
  }
}

/** The tokens that end a text. */
export function endTokens(generation: GenerationConfig, config: DecoderConfig): ReadonlySet<number> {
  const ids = generation.eos_token_id ?? config.eos_token_id ?? []
  return new Set(typeof ids === 'number' ? [ids] : ids)
}
