import { ArtifactCache } from '../artifacts/artifact-cache.ts'
import { sourceOf } from '../artifacts/source-of.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { GraphInspector } from '../graph-inspector.ts'
import { bunHosts } from '../host/bun-host-process.ts'
import type { HostPool } from '../host-pool.ts'
import type { Logger } from '../logger.ts'
import type { LocalModel } from '../model-runner.ts'
import type { NatsLink } from '../nats-link.ts'
import type { Models } from '../node.ts'
import { Checker } from './checker.ts'
import { RegisteredVersions } from './registered-versions.ts'
import { checkVersion } from './version-check.ts'
import { withRegistered } from './with-registered.ts'

/** What makes any version of the registry one of this node's models: who knows of them, fetches them and checks them. */
export class RegistryClient {
  readonly #cache: ArtifactCache
  readonly #versions: RegisteredVersions
  readonly #inspector: GraphInspector
  readonly #logger: Logger
  readonly #stopping = new AbortController()
  #checker: Checker | undefined
  #following: Promise<void> | undefined

  /** @returns `undefined` for a node that has only its folder */
  static async open(config: Config, logger: Logger): Promise<RegistryClient | undefined> {
    const source = sourceOf(config)
    const { ORIEL_CACHE_DIR: dir, ORIEL_CACHE_BYTES: maxBytes } = config
    if (!source) return undefined
    if (dir === undefined) throw new Error('ORIEL_CACHE_DIR is not set: fetched files need a folder.')
    return new RegistryClient(await ArtifactCache.open({ dir, maxBytes, source, logger }), logger)
  }

  private constructor(cache: ArtifactCache, logger: Logger) {
    this.#cache = cache
    this.#logger = logger
    this.#versions = new RegisteredVersions(logger)
    this.#inspector = new GraphInspector({
      start: bunHosts({ threads: 1 }),
      clock: systemClock,
      onLine: (line) => logger.info('a checked model says', { line }),
    })
  }

  /** For the pool. A model of the folder is there already. */
  async bring({ manifest, dir }: LocalModel): Promise<() => void> {
    return dir === this.#cache.dirOf(manifest) ? await this.#cache.hold(manifest) : () => {}
  }

  models(local: Models, pool: HostPool): Models {
    return withRegistered(local, { versions: this.#versions, cache: this.#cache }, pool)
  }

  run(link: NatsLink): void {
    const checking = { cache: this.#cache, inspector: this.#inspector }
    const check = (manifest: LocalModel['manifest']) => checkVersion(manifest, checking)
    this.#checker = new Checker({ link, check, logger: this.#logger })
    this.#checker.run()
    this.#following = this.#versions.follow(link, this.#stopping.signal)
  }

  /** Takes no more checks, and ends the one that is under way. */
  async stop(): Promise<void> {
    this.#checker?.stop()
    this.#stopping.abort()
    await this.#inspector.close()
    await this.#following
  }
}
