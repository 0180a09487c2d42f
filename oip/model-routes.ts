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

export const modelReady =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const model = modelOf(c)
    const ready = await (await portOf(c)).modelReady(model)
    if (ready) return c.json({ name: model.name, ready })
    return c.json({ name: model.name, ready, error: 'Model version not ready' }, 400)
  }

/** Of the model in the path, or of all. */
export const statistics =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const port = await portOf(c)
    const model = c.req.param('model') === undefined ? undefined : modelOf(c)
    return c.json(statisticsForm(await port.statistics(model)))
  }
