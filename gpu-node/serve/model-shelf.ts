import { ProblemError } from '@oriel/protocol/problem'
import { BystanderError } from '../bystander-error.ts'
import type { HostPool } from '../host-pool.ts'
import type { LocalModel } from '../model-runner.ts'
import type { Observer } from '../observer.ts'
import type { TreeVersion } from './model-tree.ts'
import type { Shelf } from './served-version.ts'

/** Tries of a load that was lost with a host through no fault of its own. */
const TRIES = 3

export interface ModelShelfOptions {
  readonly open: (found: TreeVersion) => Promise<LocalModel>
  readonly hosts: Pick<HostPool, 'hasRoomFor' | 'load' | 'unload'>
  readonly observer: Pick<Observer, 'unloaded'>
  /** For people. */
  readonly say: (text: string) => void
}

/** Versions from the folder into the hosts' memory, while there is room; the others come when they are used. */
export function modelShelf({ open, hosts, observer, say }: ModelShelfOptions): Shelf {
  let revisions = 0

  async function load(model: LocalModel): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await hosts.load(model)
      } catch (error) {
        if (!(error instanceof BystanderError) || tries === TRIES) throw error
      }
    }
  }

  return {
    async bring(found) {
      const named = `${found.name} ${found.version}`
      try {
        const model = { ...(await open(found)), revision: ++revisions }
        if (hosts.hasRoomFor(model)) {
          await load(model)
          say(`loaded ${named}`)
        } else {
          say(`found ${named}, which is loaded when it is used: the memory for models is full`)
        }
        return model
      } catch (cause) {
        const error = cause instanceof ProblemError ? cause : unreadable(cause)
        say(`${named} cannot be served: ${error.problem.detail}`)
        throw error
      }
    },
    async release(model) {
      await hosts.unload(model)
      observer.unloaded(model)
      say(`unloaded ${model.manifest.name} ${model.manifest.version}`)
    },
  }
}

/** Files may change or go while they are read. */
const unreadable = (cause: unknown) =>
  new ProblemError({ kind: 'model-unavailable', detail: 'Its files could not be read.' }, { cause })
