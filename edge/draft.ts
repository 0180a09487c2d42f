import type { ModelOffer } from '@oriel/core-actors/relay-port'
import type { NewDraft } from '@oriel/core-actors/request-port'
import type { Submission } from '@oriel/protocol/api'
import { newRequestId } from '@oriel/protocol/ids'
import { checkInput } from '@oriel/protocol/input'
import { resolveParameters } from '@oriel/protocol/parameters'
import { ProblemError } from '@oriel/protocol/problem'
import { canonicalJson, sha256Hex } from './canonical.ts'

/**
 * A submission that `offer` can run, ready for its actor: defaults filled in, named and hashed.
 * @param now ms since the epoch: the time of sending, should it be accepted
 * @throws ProblemError model-not-found, model-unavailable, model-damaged, input-mismatch, invalid-parameter
 */
export async function draftOf(
  user: string,
  { modelID, request }: Submission,
  offer: ModelOffer | undefined,
  now: number,
): Promise<NewDraft> {
  if (!offer) throw new ProblemError({ kind: 'model-not-found', detail: `There is no model ${modelID}.` })
  // Without any node the request waits for one; a model that no node can load would wait for ever.
  if (offer.problem) throw new ProblemError(offer.problem)
  const { manifest } = offer
  checkInput(manifest, request.input)
  const parameters = resolveParameters(manifest.parameters, request.parameters ?? {})
  const id = newRequestId(now)
  const { requestID = id, ...sent } = request
  const body = canonicalJson({ modelID, request: sent })
  return {
    id,
    user,
    requestID,
    bodyHash: await sha256Hex(body),
    bytes: new TextEncoder().encode(body).byteLength,
    request: sent,
    model: manifest.name,
    version: manifest.version,
    lane: request.lane ?? 'interactive',
    parameters,
    onDisconnect: request.onDisconnect ?? 'detach',
    timeoutMs: request.timeoutMs ?? manifest.limits.timeoutMs,
  }
}
