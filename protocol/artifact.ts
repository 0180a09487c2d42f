import * as v from 'valibot'

/** The address of a file by its content: lower-case hex. */
export const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))

/** The name of an artifact in the blob store, wherever that is: the edge writes it, nodes read it. */
export const artifactKey = (sha256: string) => `artifacts/${sha256}`
