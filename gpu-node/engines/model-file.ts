import { join } from 'node:path'
import { describeIssues, ProblemError } from '@oriel/protocol/problem'
import * as v from 'valibot'
import type { LocalModel } from '../model-runner.ts'

export const isListed = (model: LocalModel, path: string): boolean =>
  model.manifest.files.some((file) => file.path === path)

/** The absolute path of a file that the manifest lists: what it does not list was never verified. */
export function listedFile(model: LocalModel, path: string): string {
  if (isListed(model, path)) return join(model.dir, path)
  throw new ProblemError({
    kind: 'model-unavailable',
    detail: `the manifest lists no ${path}, which the engine needs.`,
  })
}

/** `model.onnx`, in whatever folder of the model, or else the only graph there is. */
export function graphFile({ manifest }: LocalModel): string {
  const graphs = manifest.files.map((file) => file.path).filter((path) => path.endsWith('.onnx'))
  const chosen = graphs.find((path) => /(^|\/)model\.onnx$/.test(path)) ?? (graphs.length === 1 ? graphs[0] : undefined)
  if (chosen !== undefined) return chosen
  const detail = graphs.length === 0 ? 'the manifest lists no .onnx file' : `none of ${graphs.join(', ')} is model.onnx`
  throw new ProblemError({ kind: 'model-unavailable', detail: `${detail}.` })
}

/** A JSON file of the model, as the schema has it. */
export async function readModelJson<S extends v.GenericSchema>(
  model: LocalModel,
  path: string,
  schema: S,
): Promise<v.InferOutput<S>> {
  const file = Bun.file(listedFile(model, path))
  const data = await file.json().catch((cause: unknown) => {
    throw new ProblemError({ kind: 'model-damaged', detail: `${path}: not readable as JSON.` }, { cause })
  })
  const parsed = v.safeParse(schema, data)
  if (parsed.success) return parsed.output
  throw new ProblemError({ kind: 'model-unavailable', detail: `${path}: ${describeIssues(parsed.issues)}.` })
}
