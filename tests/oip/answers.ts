import * as v from 'valibot'

/** What the contract reads of a server's answers, each under the name that it has in the protocol. */
const Tensor = v.object({ name: v.string(), datatype: v.string(), shape: v.array(v.number()) })
export const Answer = v.object({ outputs: v.array(v.object({ ...Tensor.entries, data: v.array(v.unknown()) })) })
export const About = v.object({ name: v.string(), version: v.string(), extensions: v.array(v.string()) })
export const Metadata = v.object({ versions: v.array(v.string()), inputs: v.array(Tensor), outputs: v.array(Tensor) })
export const Config = v.object({ max_batch_size: v.number() })
export const Problem = v.object({ error: v.string() })
export const Index = v.array(v.object({ name: v.string(), version: v.string(), state: v.string() }))
export const Statistics = v.object({
  model_stats: v.array(
    v.object({
      name: v.string(),
      version: v.string(),
      inference_stats: v.object({ success: v.object({ count: v.number() }) }),
    }),
  ),
})
