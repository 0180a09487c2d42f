import { toProblem } from '@oriel/protocol/problem'
import type { Context, Env } from 'hono'
import { configForm, metadataForm } from './model-form.ts'
import type { Serving } from './serving.ts'
import { modelOf } from './serving.ts'
import { statisticsForm } from './statistics-form.ts'

export const metadata =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> =>
    c.json(metadataForm(await (await portOf(c)).describe(modelOf(c))))

export const config =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> =>
    c.json(configForm(await (await portOf(c)).describe(modelOf(c))))

/** As in Triton, a model that is not there is not ready, which is 400. */
export const modelReady =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const port = await portOf(c)
    try {
      const model = modelOf(c)
      if (await port.modelReady(model)) return c.json({ name: model.name, ready: true })
      return c.json({ ready: false, error: 'Model version not ready' }, 400)
    } catch (error) {
      const { kind, detail } = toProblem(error)
      if (kind !== 'model-not-found') throw error
      return c.json({ ready: false, error: detail }, 400)
    }
  }

/** Of the model in the path, or of all. */
export const statistics =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const port = await portOf(c)
    const model = c.req.param('model') === undefined ? undefined : modelOf(c)
    return c.json(statisticsForm(await port.statistics(model)))
  }
