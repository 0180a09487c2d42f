import type { Manifest } from '@oriel/protocol/manifest'
import type { NodeStatus } from '@oriel/protocol/node-status'
import type { ArtifactCache } from '../artifacts/artifact-cache.ts'
import type { HostPool } from '../host-pool.ts'
import type { LocalModel } from '../model-runner.ts'
import { isModel } from '../model-shelf.ts'
import type { Models } from '../node.ts'
import { filesOf } from '../session-name.ts'
import type { RegisteredVersions } from './registered-versions.ts'

export interface Registry {
  readonly versions: Pick<RegisteredVersions, 'find' | 'all'>
  readonly cache: Pick<ArtifactCache, 'dirOf'>
}

/**
 * The models of this node's folder, and beside them every version of the registry, whose files come when a host is about
 * to load it. What the registry says of a version counts; the folder's files are taken where they are the same.
 */
export function withRegistered(local: Models, { versions, cache }: Registry, pool: Pick<HostPool, 'stateOf'>): Models {
  /** A version is one object for as long as it is the same: those who ask for it share a batch by it. */
  const known = new WeakMap<Manifest, LocalModel>()
  const find = (name: string, version: string) => {
    const manifest = versions.find(name, version)
    if (!manifest) return local.find(name, version)
    const model = known.get(manifest) ?? modelOf(manifest)
    known.set(manifest, model)
    return model
  }
  const modelOf = (manifest: Manifest): LocalModel => {
    const own = local.find(manifest.name, manifest.version)
    if (isModel(own) && filesOf(own) === filesOf({ manifest })) return { ...own, manifest }
    return { manifest, dir: cache.dirOf(manifest) }
  }
  return {
    ...local,
    find,
    status(): Pick<NodeStatus, 'hosts' | 'models' | 'registry'> {
      const { hosts, models } = local.status()
      const others = models.filter(({ name, version }) => !versions.find(name, version))
      return { hosts, registry: true, models: [...others, ...worthTelling()] }
    },
  }

  /** That this node could load any of the others goes without saying. */
  function worthTelling(): NodeStatus['models'] {
    const told: NodeStatus['models'] = []
    for (const { name, version } of versions.all()) {
      const model = find(name, version)
      if (!isModel(model)) continue
      const state = pool.stateOf(model)
      if (state.state !== 'available') told.push({ name, version, ...state })
    }
    return told
  }
}
