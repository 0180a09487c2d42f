import { Random } from '../random.ts'

export interface WorkloadOptions {
  readonly models: number
  readonly nodes: number
  readonly hours: number
  /** Requests in a second, over all models. */
  readonly rate: number
  /** Of the distribution of requests over models. */
  readonly zipf: number
  /** New models in an hour. */
  readonly arrivals: number
  /** Nodes that leave in an hour; another comes for each, after a quarter of an hour or so. */
  readonly churn: number
  /** Models in a hundred that change places with another in an hour: what was asked for is no more. */
  readonly drift: number
  readonly seed: number
}

export interface NodeChange {
  readonly at: number
  readonly node: number
  readonly is: 'there' | 'gone'
}

/** What happens, known beforehand and the same for every way of placing. Times are in seconds. */
export interface Workload {
  readonly seconds: number
  /** By model. */
  readonly bytes: Float64Array
  /** By model: when it is registered. */
  readonly since: Float64Array
  /** Every request: when, and for which model. */
  readonly times: Float64Array
  readonly models: Uint32Array
  readonly changes: readonly NodeChange[]
  /** Requests in a second at the beginning, by model: as they were the day before. */
  readonly before: Float64Array
}

const HOUR = 3600
const MIN_BYTES = 10e6
const MAX_BYTES = 2e9
/** Half of the models are smaller. */
const MEDIAN_BYTES = 100e6
const COMES_BACK_S = 900

export function workload(options: WorkloadOptions): Workload {
  const { models, hours, rate, arrivals, seed } = options
  const random = new Random(seed)
  const all = models + Math.round(arrivals * hours)
  const seconds = hours * HOUR
  const bytes = new Float64Array(all)
  const since = new Float64Array(all)
  for (let model = 0; model < all; model++) {
    bytes[model] = Math.min(MAX_BYTES, Math.max(MIN_BYTES, MEDIAN_BYTES * Math.exp(1.2 * random.normal())))
    since[model] = model < models ? 0 : random.next() * seconds
  }
  const ranks = random.shuffle(Array.from({ length: all }, (_, rank) => rank))
  const shares = cumulated(ranks, since, 0, options.zipf)
  const before = shares.map((sum, model) => (sum - (shares[model - 1] ?? 0)) * rate)
  const times = new Float64Array(Math.ceil(seconds * rate))
  const asked = new Uint32Array(times.length)
  let count = 0
  for (let hour = 0; hour < hours; hour++) {
    if (hour > 0) change(ranks, Math.round((all * options.drift) / 100), random)
    const end = Math.round((times.length * (hour + 1)) / hours)
    const sums = cumulated(ranks, since, hour * HOUR, options.zipf)
    const gap = (Math.min(seconds, (hour + 1) * HOUR) - hour * HOUR) / (end - count)
    for (let index = 0; count < end; index++, count++) {
      times[count] = hour * HOUR + (index + random.next()) * gap
      asked[count] = draw(sums, random.next())
    }
  }
  return { seconds, bytes, since, times, models: asked, changes: nodeChanges(options, random), before }
}

/** Some models change places: one that was hardly asked may be asked for much, and the other way round. */
function change(ranks: number[], pairs: number, random: Random): void {
  for (let pair = 0; pair < pairs; pair++) {
    const [a, b] = [random.below(ranks.length), random.below(ranks.length)]
    const [rankA = 0, rankB = 0] = [ranks[a], ranks[b]]
    ranks[a] = rankB
    ranks[b] = rankA
  }
}

/** Sums of the models' shares of the requests; a model that is not registered yet has none. */
function cumulated(ranks: readonly number[], since: Float64Array, now: number, zipf: number): Float64Array {
  const sums = new Float64Array(ranks.length)
  let sum = 0
  for (const [model, rank] of ranks.entries()) {
    if ((since[model] ?? 0) <= now) sum += (rank + 1) ** -zipf
    sums[model] = sum
  }
  return sums.map((value) => value / sum)
}

function draw(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 1) > value) high = middle
    else low = middle + 1
  }
  return low
}

function nodeChanges({ nodes, hours, churn }: WorkloadOptions, random: Random): NodeChange[] {
  const changes: NodeChange[] = []
  const there = Array.from({ length: nodes }, (_, node) => node)
  for (const node of there) changes.push({ at: 0, node, is: 'there' })
  let next = nodes
  if (churn <= 0) return changes
  for (let at = random.exponential(HOUR / churn); at < hours * HOUR; at += random.exponential(HOUR / churn)) {
    const back = at + random.exponential(COMES_BACK_S)
    const present = there.length - changes.filter(({ is, at: when }) => is === 'there' && when > at).length
    if (present <= 1) continue
    const [node] = there.splice(random.below(present), 1)
    if (node === undefined) continue
    changes.push({ at, node, is: 'gone' }, { at: back, node: next, is: 'there' })
    there.push(next++)
  }
  return changes.filter(({ at }) => at < hours * HOUR).sort((a, b) => a.at - b.at)
}
