import type { Ports } from '@oriel/dev/ports'
import { LINKS, type LinkName } from './faults.ts'
import { TcpProxy } from './proxy.ts'

/** A proxy between any two parts; each node has one of its own, so that it can be cut off alone. */
export class Links {
  readonly #proxies: ReadonlyMap<string, TcpProxy>

  private constructor(proxies: ReadonlyMap<string, TcpProxy>) {
    this.#proxies = proxies
  }

  static async open(nodes: number): Promise<Links> {
    const names = LINKS.flatMap((link) =>
      link === 'node-nats' ? Array.from({ length: nodes }, (_, index) => nodeLink(`node-${index + 1}`)) : [link],
    )
    return new Links(new Map(await Promise.all(names.map(async (name) => [name, await TcpProxy.listen()] as const))))
  }

  proxy(name: string): TcpProxy {
    const proxy = this.#proxies.get(name)
    if (!proxy) throw new Error(`there is no proxy at ${name}`)
    return proxy
  }

  /** The names of the proxies of a link. */
  of(link: LinkName): string[] {
    return [...this.#proxies.keys()].filter((name) => (link === 'node-nats' ? name.startsWith('node-') : name === link))
  }

  /** As the stack's `portsFor`: every part goes through its proxies. */
  readonly portsFor = (part: string, ports: Ports): Ports => {
    const via = (name: string, port: number) => {
      const proxy = this.proxy(name)
      proxy.target = port
      return proxy.port
    }
    if (part.startsWith('node-')) return { ...ports, nats: via(nodeLink(part), ports.nats) }
    if (part === 'recorder')
      return { ...ports, nats: via('recorder-nats', ports.nats), postgres: via('recorder-postgres', ports.postgres) }
    return { ...ports, websocket: via('edge-nats', ports.websocket), postgres: via('edge-postgres', ports.postgres) }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()))
  }
}

const nodeLink = (node: string) => `${node}-nats`
