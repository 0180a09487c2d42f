import {
  BulkRequeue,
  BulkRequeued,
  DeadLetterPage,
  DeadLetterView,
  Health,
  HistoryPage,
  KeyList,
  MadeKey,
  ModelView,
  NewKey,
  PredictionAnswer,
  PredictionBody,
  PredictionList,
  PredictionView,
  RequestView,
  RequeuedView,
  Submission,
  SubmissionAnswer,
} from '@oriel/protocol/api'
import { TOKEN } from '@oriel/protocol/subjects'
import { toJsonSchema } from '@valibot/to-json-schema'
import type { GenericSchema } from 'valibot'
import * as v from 'valibot'
import { REGISTRY_SCHEMAS, registryPaths } from './openapi-registry.ts'

const Problem = v.object({
  type: v.string(),
  title: v.optional(v.string()),
  status: v.number(),
  detail: v.string(),
  instance: v.string(),
})
const Standing = v.omit(SubmissionAnswer, ['eventsURL'])
const Models = v.object({ models: v.array(ModelView), nextCursor: v.nullable(v.string()), limit: v.number() })

const schemas = {
  Submission,
  SubmissionAnswer,
  RequestView,
  HistoryPage,
  ModelView,
  NewKey,
  MadeKey,
  KeyList,
  DeadLetterPage,
  DeadLetterView,
  Problem,
  ...REGISTRY_SCHEMAS,
} as const

const ref = (name: keyof typeof schemas) => ({ $ref: `#/components/schemas/${name}` })
// The writer keeps "$schema" and refuses nothing: what JSON Schema cannot say is left to the validator.
const schemaOf = (schema: GenericSchema) => toJsonSchema(schema, { errorMode: 'ignore', typeMode: 'input' })
const json = (description: string, schema: object) => ({ description, content: { 'application/json': { schema } } })
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
})
const id = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The request id: the one you gave, or the one you were given.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
}
const query = (name: string, description: string, schema: object) => ({ name, in: 'query', description, schema })
const unauthenticated = problem('No token, or one that is not valid (any more).')
const unknown = problem('No such request of yours.')
const forbidden = problem('Your token lacks the scope `admin`.')
const letterID = { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: TOKEN.source } }
const unknownLetter = problem('No such dead letter.')
const invalid = problem('Something in the request is not as it should be; `detail` says what.')
const unavailable = problem('Try again after `Retry-After` seconds; with a request id of yours that is always safe.')

/** The API's description (OpenAPI 3.1), made from the schemas that validate it. */
export const openapi = () => ({
  openapi: '3.1.0',
  info: { title: 'Oriel', version: '1', description: 'Streaming predictions that survive what happens on the way.' },
  security: [{ bearer: [] }],
  paths: {
    '/requests': {
      post: {
        summary: 'Send a request to a model',
        description: 'With a request id of yours the call can be repeated: the same body is the same request.',
        requestBody: { required: true, content: { 'application/json': { schema: ref('Submission') } } },
        responses: {
          202: json('Accepted.', ref('SubmissionAnswer')),
          400: invalid,
          401: unauthenticated,
          404: problem('No such model.'),
          409: problem('This request id was used before, with another body.'),
          413: problem('The body is too large.'),
          429: problem(
            'A limit of yours, or of your key, is reached; `Retry-After`, `RateLimit-Policy` and `RateLimit` say which and until when.',
          ),
          422: problem('The input or a parameter does not fit the model.'),
          503: unavailable,
        },
      },
      get: {
        summary: 'Your requests, newest first',
        parameters: [
          query('nextCursor', 'Where the page before this one ended.', { type: 'string' }),
          query('limit', 'Requests in a page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
        ],
        responses: {
          200: json('A page.', ref('HistoryPage')),
          304: { description: 'As `If-None-Match` has it.' },
          400: invalid,
          401: unauthenticated,
          503: unavailable,
        },
      },
    },
    '/requests/{id}': {
      get: {
        summary: 'One request as it stands',
        parameters: [id, query('after', 'Only responses after this event.', { type: 'integer', minimum: 0 })],
        responses: {
          200: json('The request.', ref('RequestView')),
          304: { description: 'As `If-None-Match` has it.' },
          400: invalid,
          401: unauthenticated,
          404: unknown,
          503: unavailable,
        },
      },
      delete: {
        summary: 'Cancel a request',
        parameters: [id],
        responses: {
          200: json('Where it stands now.', schemaOf(Standing)),
          401: unauthenticated,
          404: unknown,
          503: unavailable,
        },
      },
    },
    '/requests/{id}/events': {
      get: {
        summary: 'The events of a request, from the first or after `Last-Event-ID`',
        security: [{ bearer: [] }, { events: [] }],
        parameters: [
          id,
          { name: 'Last-Event-ID', in: 'header', schema: { type: 'integer', minimum: 0 } },
          query('lastEventID', 'The same, for clients that cannot set headers.', { type: 'integer', minimum: 0 }),
          query('token', 'The one in the events URL, for clients that cannot set headers.', { type: 'string' }),
        ],
        responses: {
          200: {
            description:
              'Server-sent events. `id` counts 1, 2, 3 …; `event` is queued, started, responses, progress, completed, failed, cancelled or expired; `data` is JSON with `sentAt` and what the event has: position; node and attempt; response; elapsedMs; problem and retriable.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          204: { description: 'You have the last event: do not reconnect.' },
          400: problem('That event was never issued.'),
          401: unauthenticated,
          404: unknown,
          503: unavailable,
        },
      },
    },
    '/models': {
      get: {
        summary: 'The models that can be asked, by name',
        parameters: [
          query('q', 'Words that are all in what is told of the model.', { type: 'string', maxLength: 200 }),
          query('nextCursor', 'Where the page before this one ended.', { type: 'string', pattern: TOKEN.source }),
          query('limit', 'Models in a page.', { type: 'integer', minimum: 1, maximum: 1_000, default: 1_000 }),
        ],
        responses: {
          200: json('A page.', schemaOf(Models)),
          400: invalid,
          401: unauthenticated,
          503: unavailable,
        },
      },
      post: {
        summary: 'Register a model (scope `models`)',
        requestBody: { required: true, content: { 'application/json': { schema: ref('NewModel') } } },
        responses: {
          201: json('Registered; it has no version yet.', ref('RegisteredModelView')),
          400: invalid,
          401: unauthenticated,
          403: problem('Your token lacks the scope `models`.'),
          409: problem('There is one of this name.'),
          413: problem('The body is too large.'),
          503: unavailable,
        },
      },
    },
    ...registryPaths({ json, problem, query, ref, invalid, unauthenticated, unavailable }),
    '/models/{name}/predict': {
      post: {
        summary: 'Predict while you wait',
        description:
          'One item in, one item out, as in a request; nothing is accepted before it is answered. Many rows, and binary: `/v2`, the Open Inference Protocol.',
        parameters: [
          {
            name: 'name',
            in: 'path',
            required: true,
            description: 'The model, or `name@version`.',
            schema: { type: 'string' },
          },
          {
            name: 'Oriel-Timeout-Ms',
            in: 'header',
            description: 'How long you wait; the time of the model unless given.',
            schema: { type: 'integer', minimum: 1 },
          },
        ],
        requestBody: { required: true, content: { 'application/json': { schema: schemaOf(PredictionBody) } } },
        responses: {
          200: json('The prediction.', schemaOf(PredictionAnswer)),
          400: invalid,
          401: unauthenticated,
          404: problem('No such model, or version of it.'),
          413: problem('What goes in or comes out is too large; ask for fewer rows at a time.'),
          422: problem('The input or a parameter does not fit the model.'),
          429: problem('You have used up a limit; come back after `Retry-After` seconds.'),
          500: problem('The model failed.'),
          503: problem('No node could answer now; try again after `Retry-After` seconds.'),
          504: problem('There was no answer in time.'),
        },
      },
    },
    '/predictions': {
      get: {
        summary: 'Your predictions, newest first, as the record has them',
        parameters: [
          query('model', 'Only of this model.', { type: 'string', pattern: TOKEN.source }),
          query('nextCursor', 'Where the page before said that this one begins.', { type: 'string' }),
          query('limit', 'How many at most.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
        ],
        responses: {
          200: json('A page.', schemaOf(PredictionList)),
          400: invalid,
          401: unauthenticated,
          503: unavailable,
        },
      },
    },
    '/predictions/{id}': {
      get: {
        summary: 'One of them',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
        responses: {
          200: json('The prediction.', schemaOf(PredictionView)),
          401: unauthenticated,
          404: problem('No such prediction of yours, or not yet.'),
          503: unavailable,
        },
      },
    },
    '/keys': {
      post: {
        summary: 'Make an API key, for a program that acts as you',
        description:
          'It is sent as `Authorization: Bearer oriel_…`, wherever a token is. It has the scopes it is given, of those you have; without the scope `keys` it cannot look after keys. `limits` are its own, below yours; a key with the scope `keys` can have none.',
        requestBody: { required: true, content: { 'application/json': { schema: ref('NewKey') } } },
        responses: {
          201: json('The key, shown this once.', ref('MadeKey')),
          400: invalid,
          401: unauthenticated,
          403: problem('You lack a scope: that of the key, or, being a key yourself, `keys`.'),
          413: problem('The body is too large.'),
          429: problem('You have as many keys as one may.'),
          503: unavailable,
        },
      },
      get: {
        summary: 'Your keys, newest first, without their secrets; or those of `user` (scope `admin`)',
        parameters: [query('user', 'Whose keys, for operators.', { type: 'string', minLength: 1, maxLength: 256 })],
        responses: {
          200: json('The keys.', ref('KeyList')),
          400: invalid,
          401: unauthenticated,
          403: problem('You lack the scope: `admin` for `user`, or, being a key yourself, `keys`.'),
          503: unavailable,
        },
      },
    },
    '/keys/{id}': {
      delete: {
        summary: 'Revoke a key of yours; or anybody’s (scope `admin`)',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
        responses: {
          204: { description: 'It is revoked, everywhere within 15 s.' },
          401: unauthenticated,
          403: problem('You are a key without the scope `keys` or `admin`.'),
          404: problem('No such key that you may revoke.'),
          503: unavailable,
        },
      },
    },
    '/dead-letters': {
      get: {
        summary: 'Jobs that failed for good, those sent last first (scope `admin`)',
        parameters: [
          query('model', 'Only of this model.', { type: 'string', pattern: TOKEN.source }),
          query('nextCursor', 'Where the page before this one ended.', { type: 'string' }),
          query('limit', 'Letters in a page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
        ],
        responses: {
          200: json('A page.', ref('DeadLetterPage')),
          400: invalid,
          401: unauthenticated,
          403: forbidden,
          503: unavailable,
        },
      },
    },
    '/dead-letters/requeue': {
      post: {
        summary: 'Take up the requests of a model again, up to 50 in one call (scope `admin`)',
        requestBody: { required: true, content: { 'application/json': { schema: schemaOf(BulkRequeue) } } },
        responses: {
          200: json(
            'Which are queued again, which were refused, and why it `stopped` before the end, if it did.',
            schemaOf(BulkRequeued),
          ),
          400: invalid,
          401: unauthenticated,
          403: forbidden,
          413: problem('The body is too large.'),
          503: unavailable,
        },
      },
    },
    '/dead-letters/{id}': {
      get: {
        summary: 'One of them, with its input and attempts (scope `admin`)',
        parameters: [letterID],
        responses: {
          200: json('The letter.', ref('DeadLetterView')),
          401: unauthenticated,
          403: forbidden,
          404: unknownLetter,
          503: unavailable,
        },
      },
      delete: {
        summary: 'Discard it; its request stays failed (scope `admin`)',
        parameters: [letterID],
        responses: {
          204: { description: 'It is gone.' },
          401: unauthenticated,
          403: forbidden,
          404: unknownLetter,
          503: unavailable,
        },
      },
    },
    '/dead-letters/{id}/requeue': {
      post: {
        summary: 'Take its request up again (scope `admin`)',
        description:
          'The log of the request goes on, with a whole budget of attempts and all of its time anew. Asked again while it is under way, the answer is the same.',
        parameters: [letterID],
        responses: {
          202: json('It is queued again, and no dead letter any more.', schemaOf(RequeuedView)),
          401: unauthenticated,
          403: forbidden,
          404: unknownLetter,
          409: problem('It was never a job, or its request did not end as failed.'),
          503: unavailable,
        },
      },
    },
    '/healthz': { get: { summary: 'Alive', security: [], responses: { 200: { description: 'Yes.' } } } },
    '/readyz': {
      get: {
        summary: 'Ready to take requests',
        security: [],
        responses: {
          200: json('Yes.', schemaOf(Health)),
          503: json('Not now; `checks` says why.', schemaOf(Health)),
        },
      },
    },
  },
  components: {
    schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, schemaOf(schema)])),
    securitySchemes: {
      bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT, or an API key' },
      events: { type: 'apiKey', in: 'query', name: 'token' },
    },
  },
})
