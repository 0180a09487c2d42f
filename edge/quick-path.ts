import type { ModelOffer, RelayPort } from '@oriel/core-actors/relay-port'
import type { InferenceAnswer, InferenceCall, ModelRef } from '@oriel/oip/port'
import { encodeRequest } from '@oriel/oip/request'
import { decodeResponse } from '@oriel/oip/response'
import { MAX_TIMEOUT_MS } from '@oriel/protocol/api'
import { openFrame, packFrame } from '@oriel/protocol/frame'
import type { RequestId } from '@oriel/protocol/ids'
import { newRequestId } from '@oriel/protocol/ids'
import { resolveParameters } from '@oriel/protocol/parameters'
import { MAX_FRAME_BYTES, type PredictionHead } from '@oriel/protocol/prediction'
import { ProblemError } from '@oriel/protocol/problem'
import type { Allowances } from './allowances.ts'
import type { Caller } from './caller.ts'
import type { ModelCache } from './model-cache.ts'

/** What the quick path needs of the world. */
export interface QuickPlatform {
  readonly models: ModelCache
  readonly allowances: Allowances
  relay(id?: RequestId): RelayPort
}

/** Who asks, and how long they wait. */
export interface Asking {
  readonly caller: Caller
  /** As long as the model may take, unless given. */
  readonly timeoutMs?: number | undefined
  /** Aborted when the caller has left. */
  readonly signal: AbortSignal
  /** Sees to it that what was begun is finished, though the caller has left. */
  readonly waitUntil: (promise: Promise<unknown>) => void
}

/** `parameters` may be lists, which the Open Inference Protocol has not. */
type Call = Pick<InferenceCall, 'inputs' | 'outputs'> & { readonly parameters: Readonly<Record<string, unknown>> }

export interface PredictionMade extends InferenceAnswer {
  readonly id: RequestId
}

/** The version that a reference means now. @throws ProblemError model-not-found, or why no node can load it */
export async function resolveModel(models: ModelCache, { name, version }: ModelRef, now: number): Promise<ModelOffer> {
  const offer = await models.offer(name, now, version)
  if (!offer) {
    const what = version === undefined ? `no model ${name}` : `no version or alias ${version} of a model ${name}`
    throw new ProblemError({ kind: 'model-not-found', detail: `There is ${what}.` })
  }
  if (offer.problem) throw new ProblemError(offer.problem)
  return offer
}

/**
 * A prediction that its caller waits for: no actor, no log, and nothing accepted until it is answered.
 * @throws ProblemError invalid-parameter, too-large, limit-exceeded, deadline-exceeded, unavailable, queue-full, or what the node says
 */
export async function predictNow(
  platform: QuickPlatform,
  { manifest }: ModelOffer,
  { parameters, ...call }: Call,
  { caller, timeoutMs = manifest.limits.timeoutMs, signal, waitUntil }: Asking,
): Promise<PredictionMade> {
  const { name: model, version } = manifest
  const sentAt = Date.now()
  const id = newRequestId(sentAt)
  const head: PredictionHead = {
    id,
    user: caller.user,
    model,
    version,
    parameters: resolveParameters(manifest.parameters, parameters),
    sentAt,
    timeoutMs: Math.min(timeoutMs, MAX_TIMEOUT_MS),
  }
  const form = { binary: true, ...(call.outputs && { outputs: call.outputs.map((name) => ({ name })) }) }
  const { body, headerLength } = encodeRequest({ ...call, parameters: {} }, form, { binary: true })
  const frame = packFrame(head, body, headerLength)
  if (frame.byteLength > MAX_FRAME_BYTES) throw new ProblemError(TOO_LARGE)
  await platform.allowances.spend(caller, frame.byteLength, waitUntil)
  if (signal.aborted) throw new ProblemError(LEFT) // an abort that has been is not heard again
  const relay = platform.relay(id)
  const onAbort = () => waitUntil(relay.cancelPrediction(id).catch(() => {})) // then the deadline ends it
  signal.addEventListener('abort', onAbort)
  try {
    const outcome = await relay.predict({ id, model, version, timeoutMs: head.timeoutMs, frame })
    if (!outcome.ok) throw new ProblemError(outcome.problem)
    return { ...decodeResponse(openFrame(outcome.frame).message), id }
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const LEFT = { kind: 'unavailable', detail: 'The caller has left.' } as const

const TOO_LARGE = {
  kind: 'too-large',
  detail: `A prediction may have ${MAX_FRAME_BYTES} bytes; send its rows in several.`,
} as const
