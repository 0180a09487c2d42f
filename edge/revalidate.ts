import { etag, RETAINED_304_HEADERS } from 'hono/etag'

// The headers of CORS too: a page that revalidates would be refused its 304 without them.
const CORS_HEADERS = ['access-control-allow-origin', 'access-control-expose-headers']

/** An ETag for the answer, and 304 for whoever has it already. */
export const revalidate = etag({ retainedHeaders: [...RETAINED_304_HEADERS, ...CORS_HEADERS] })
