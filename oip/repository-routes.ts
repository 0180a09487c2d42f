import { describeIssues, ProblemError } from '@oriel/protocol/problem'
import type { Context, Env } from 'hono'
import * as v from 'valibot'
import { readBody } from './body.ts'
import { parseJson } from './exact-json.ts'
import { decodeText, refuse } from './message.ts'
import type { Serving } from './serving.ts'
import { modelOf } from './serving.ts'

// A repository request is a few words; what is longer is not one.
const LIMITS = { maxBodyBytes: 64 * 1024 }

const IndexBody = v.object({ ready: v.optional(v.boolean(), false) })
const ControlBody = v.object({ parameters: v.optional(v.record(v.string(), v.unknown()), {}) })

export const index =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const port = await portOf(c)
    const { ready } = await bodyOf(c, IndexBody)
    const entries = await port.repository.index()
    return c.json(entries.filter(({ state }) => !ready || state === 'READY'))
  }

export const load =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const { repository } = await portOf(c)
    const { parameters } = await bodyOf(c, ControlBody)
    if (!repository.load) notByCallers()
    if (Object.keys(parameters).length > 0) {
      refuse('Configurations and files are not taken here; put them into the folder of the model.')
    }
    await repository.load(modelOf(c).name)
    return c.body(null, 200)
  }

export const unload =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const { repository } = await portOf(c)
    await bodyOf(c, ControlBody)
    if (!repository.unload) notByCallers()
    await repository.unload(modelOf(c).name)
    return c.body(null, 200)
  }

async function bodyOf<S extends v.GenericSchema>(c: Context, schema: S): Promise<v.InferOutput<S>> {
  const text = decodeText(await readBody(c.req.raw, LIMITS), 'The body')
  const parsed = v.safeParse(schema, text.trim() === '' ? {} : parseJson(text))
  if (!parsed.success) refuse(`The body does not fit: ${describeIssues(parsed.issues)}.`)
  return parsed.output
}

function notByCallers(): never {
  throw new ProblemError({ kind: 'invalid-request', detail: 'Models are loaded when they are needed, not by request.' })
}
