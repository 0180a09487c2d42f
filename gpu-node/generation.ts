import { TEXT_IN } from '@oriel/oip/served-model'
import { newRequestId } from '@oriel/protocol/ids'
import { checkInput } from '@oriel/protocol/input'
import { resolveParameters } from '@oriel/protocol/parameters'
import { ProblemError } from '@oriel/protocol/problem'
import type { Call } from './answer-call.ts'
import type { LocalModel, ModelRunner } from './model-runner.ts'
import { seedOf } from './seed.ts'

/**
 * A generation, as its text is made.
 * @throws ProblemError input-mismatch, invalid-parameter, and what the run ended with; AbortError
 */
export async function* generate(
  runner: ModelRunner,
  model: LocalModel,
  { inputs, parameters: given }: Call,
  now: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const [prompt, ...others] = inputs
  if (prompt?.name !== TEXT_IN || others.length > 0 || prompt.values.length !== 1) {
    throw new ProblemError({
      kind: 'input-mismatch',
      detail: `The model takes one text, "${TEXT_IN}", and nothing else.`,
    })
  }
  const [input] = prompt.values
  checkInput(model.manifest, input)
  const parameters = resolveParameters(model.manifest.parameters, given)
  const id = newRequestId(now)
  const run = { id, model, input, parameters, seed: seedOf(id, parameters), prior: { tokens: [], text: '' } }
  const parts: string[] = []
  let wake = () => {}
  let isOver = false
  const end = runner
    .run(
      run,
      ({ response }) => {
        if (typeof response === 'string') parts.push(response)
        wake()
      },
      signal,
    )
    .finally(() => {
      isOver = true
      wake()
    })
  end.catch(() => {}) // it is thrown below, to whoever still listens
  for (;;) {
    const part = parts.splice(0).join('')
    if (part) yield part
    else if (isOver) return await end
    else {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      if (parts.length === 0 && !isOver) await promise
    }
  }
}
