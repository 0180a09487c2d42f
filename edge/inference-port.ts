import type { InferencePort, ModelRef } from '@oriel/oip/port'
import { servedModel } from '@oriel/oip/served-model'
import { ProblemError } from '@oriel/protocol/problem'
import type { Context } from 'hono'
import type { Caller } from './caller.ts'
import { timeoutOf } from './caller-timeout.ts'
import type { EdgeContext } from './context.ts'
import { predictNow, resolveModel } from './quick-path.ts'
import { noStatistics, statisticsOf } from './statistics.ts'

const VERSION = '1'

/**
 * The Open Inference Protocol in front of all models of all nodes, for the caller of one request.
 * @throws ProblemError unauthenticated: nobody's body is read before it is known whose it is
 */
export async function inferencePort(c: Context<EdgeContext>): Promise<InferencePort> {
  const { platform } = c.var
  let asked: Promise<Caller> | undefined
  // Probes come without a token; whoever asks for a model has one.
  const authenticated = () => {
    asked ??= platform.identity.caller(c.req.header('Authorization'))
    return asked
  }
  if (c.req.method === 'POST') await authenticated()
  const resolve = async (ref: ModelRef) => {
    const caller = await authenticated()
    return { caller, offer: await resolveModel(platform.models, ref, Date.now()) }
  }
  return {
    server: () => ({ name: 'oriel', version: VERSION }),
    live: async () => true,
    ready: async () => {
      const { broker, nodes } = await platform.relay().health()
      return broker && nodes > 0
    },
    describe: async (ref) => {
      const { offer } = await resolve(ref)
      return servedModel(offer.manifest, offer.versions)
    },
    modelReady: async (ref) => {
      try {
        return (await resolve(ref)).offer.nodes > 0
      } catch (error) {
        // Not there, damaged, or no node can load it.
        if (error instanceof ProblemError && error.problem.kind.startsWith('model-')) return false
        throw error
      }
    },
    async infer(ref, call, signal) {
      const { caller, offer } = await resolve(ref)
      const waitUntil = (promise: Promise<unknown>) => c.executionCtx.waitUntil(promise)
      return predictNow(platform, offer, call, { caller, timeoutMs: timeoutOf(c), signal, waitUntil })
    },
    async statistics(ref) {
      const offer = ref ? (await resolve(ref)).offer : await authenticated().then(() => undefined)
      const counts = await Promise.all(platform.relays().map((relay) => relay.predictionCounts()))
      const all = statisticsOf(counts.flat())
      if (!offer) return all
      const { name, version } = offer.manifest
      return [all.find((one) => one.name === name && one.version === version) ?? noStatistics(name, version)]
    },
    repository: {
      async index() {
        await authenticated()
        const outcome = await platform.relay().models()
        if (!outcome.ok) throw new ProblemError(outcome.problem)
        return outcome.offers.map(({ manifest: { name, version }, nodes, problem }) => ({
          name,
          version,
          state: nodes > 0 ? 'READY' : 'UNAVAILABLE',
          ...(problem && { reason: problem.detail }),
        }))
      },
    },
  }
}
