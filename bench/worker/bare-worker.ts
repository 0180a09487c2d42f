// What bounds the edge, and nothing more: a fresh object that writes a row, and a NATS request through an object.
import { DurableObject } from 'cloudflare:workers'
import { type NatsConnection, wsconnect } from '@nats-io/nats-core'

interface Env {
  readonly FRESH: DurableObjectNamespace<Fresh>
  readonly THROUGH: DurableObjectNamespace<Through>
  readonly NATS_URL: string
  readonly NATS_USER: string
  readonly NATS_PASSWORD: string
}

export class Fresh extends DurableObject<Env> {
  write(): string {
    this.ctx.storage.kv.put('row', 'x'.repeat(300))
    return 'written'
  }
}

export class Through extends DurableObject<Env> {
  #connection: Promise<NatsConnection> | undefined

  async ask(): Promise<string> {
    const { NATS_URL: servers, NATS_USER: user, NATS_PASSWORD: pass } = this.env
    this.#connection ??= wsconnect({ servers, user, pass })
    const reply = await (await this.#connection).request('bench.echo', 'x'.repeat(300))
    return String(reply.data.length)
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const path = new URL(request.url).pathname
    if (path === '/through') return new Response(await env.THROUGH.get(env.THROUGH.idFromName('one')).ask())
    if (path.startsWith('/fresh/')) return new Response(await env.FRESH.get(env.FRESH.idFromName(path)).write())
    return new Response('bare')
  },
}
