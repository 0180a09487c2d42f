import { createHash } from 'node:crypto'
import type { LocalModel } from './model-runner.ts'

const names = new WeakMap<LocalModel, string>()

/**
 * What a model is called in the hosts: its version, and which of the things that version has been. A node may have begun
 * with the files of its folder before it heard that the registry names others; those are another model.
 */
export function sessionName(model: LocalModel): string {
  const known = names.get(model)
  if (known) return known
  const { manifest, revision } = model
  const parts = [digestOf(model), ...(revision === undefined ? [] : [revision])]
  const name = `${manifest.name}/${manifest.version}#${parts.join('.')}`
  names.set(model, name)
  return name
}

/** The version alone. */
export const versionIn = (session: string): string => session.slice(0, session.indexOf('#'))

const digestOf = (model: LocalModel) => createHash('sha256').update(filesOf(model)).digest('hex').slice(0, 16)

/** The same text for the same files. */
export const filesOf = ({ manifest }: Pick<LocalModel, 'manifest'>): string =>
  manifest.files
    .map(({ path, sha256 }) => `${path}:${sha256}`)
    .sort()
    .join()
