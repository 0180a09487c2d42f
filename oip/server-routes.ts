import type { Context, Env } from 'hono'
import type { Serving } from './serving.ts'

const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'generate',
  'model_configuration',
  'parameters',
  'statistics',
]

export const server =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const port = await portOf(c)
    const extensions = port.repository.load ? [...EXTENSIONS, 'model_repository'] : EXTENSIONS
    return c.json({ ...port.server(), extensions })
  }

// Triton's clients look at the status, KServe's at the body.
export const live =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const live = await (await portOf(c)).live()
    return c.json({ live }, live ? 200 : 400)
  }

export const ready =
  <E extends Env>({ portOf }: Serving<E>) =>
  async (c: Context<E>): Promise<Response> => {
    const ready = await (await portOf(c)).ready()
    return c.json({ ready }, ready ? 200 : 400)
  }
