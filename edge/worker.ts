import { DurableObject } from 'cloudflare:workers'

export class RequestActor extends DurableObject {}
export class Relay extends DurableObject {}

export default {
  fetch: (request: Request) => {
    if (new URL(request.url).pathname === '/healthz') return Response.json({ status: 'ok' })
    return new Response(null, { status: 404 })
  },
}
