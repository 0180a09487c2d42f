export interface Choice {
  /** 0 takes the likeliest. */
  readonly temperature: number
  /** Among the so many likeliest; 0 is all. */
  readonly topK: number
  /** Among the likeliest that together have this probability, and at least one; 1 is all. */
  readonly topP: number
}

/**
 * The next token. Temperature, top-k and top-p in Hugging Face's order; equal logits rank by token.
 * @param logits of the whole vocabulary
 * @param random from 0 up to 1: the only chance in it
 * @returns undefined when the logits have no largest: the model computed NaN or infinity
 */
export function sample(logits: Float32Array, choice: Choice, random: number): number | undefined {
  const best = argmax(logits)
  if (best === undefined || choice.temperature === 0) return best
  const peak = logits[best] ?? 0
  const weigh = (logit: number) => Math.exp((logit - peak) / choice.temperature)
  if (choice.topK > 0 && choice.topK < logits.length) {
    return drawRanked(largest(logits, choice.topK), logits, weigh, choice.topP, random)
  }
  const weights = new Float64Array(logits.length)
  let total = 0
  for (let token = 0; token < logits.length; token++) {
    const weight = weigh(logits[token] ?? -Infinity)
    weights[token] = weight
    total += weight
  }
  if (choice.topP >= 1) return draw(weights, random * total)
  // What is less likely than this cannot be in the nucleus (llama2.c, sample_topp); it leaves little to sort.
  const cutoff = (total * (1 - choice.topP)) / (logits.length - 1)
  const likely: number[] = []
  for (let token = 0; token < weights.length; token++) {
    if ((weights[token] ?? 0) >= cutoff || token === best) likely.push(token)
  }
  likely.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
  return drawRanked(likely, logits, weigh, choice.topP, random, total)
}

/** One of the tokens, likeliest first, that together reach `topP` of `total`: by default, of all that are given. */
function drawRanked(
  ranked: readonly number[],
  logits: Float32Array,
  weigh: (logit: number) => number,
  topP: number,
  random: number,
  total?: number,
): number | undefined {
  const weights = Float64Array.from(ranked, (token) => weigh(logits[token] ?? -Infinity))
  const enough = topP * (total ?? weights.reduce((sum, weight) => sum + weight, 0))
  let reached = 0
  let count = 0
  while (count < weights.length && (count === 0 || topP >= 1 || reached < enough)) reached += weights[count++] ?? 0
  const index = draw(weights.subarray(0, count), random * reached)
  return index === undefined ? undefined : ranked[index]
}

function draw(weights: Float64Array, at: number): number | undefined {
  let passed = 0
  let last: number | undefined
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index] ?? 0
    if (weight === 0) continue
    passed += weight
    last = index
    if (at < passed) return index
  }
  return last // rounding can leave `at` at the very end
}

/** The `count` largest, in order: a short sorted list that most values do not get into. */
function largest(logits: Float32Array, count: number): number[] {
  const tokens: number[] = []
  let least = -Infinity
  for (let token = 0; token < logits.length; token++) {
    const value = logits[token] ?? 0
    if (tokens.length === count && value <= least) continue
    let at = tokens.length
    while (at > 0 && value > (logits[tokens[at - 1] ?? 0] ?? 0)) at--
    tokens.splice(at, 0, token)
    if (tokens.length > count) tokens.pop()
    least = logits[tokens.at(-1) ?? 0] ?? 0
  }
  return tokens
}

function argmax(logits: Float32Array): number | undefined {
  let best: number | undefined
  let peak = -Infinity
  for (let token = 0; token < logits.length; token++) {
    const value = logits[token] ?? Number.NaN
    if (Number.isNaN(value)) return undefined
    if (value > peak) {
      best = token
      peak = value
    }
  }
  return Number.isFinite(peak) ? best : undefined
}
