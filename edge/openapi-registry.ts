import { AliasChange, AliasList, AliasView } from '@oriel/protocol/alias'
import {
  ModelChange,
  NewModel,
  NewUpload,
  NewVersion,
  RegisteredModelView,
  RegistryPage,
  UploadView,
  VERSION_STATUSES,
  VersionChange,
  VersionView,
} from '@oriel/protocol/model-registry'
import { TOKEN } from '@oriel/protocol/subjects'

/** What the whole description lends to this part of it. */
export interface Terms {
  json(description: string, schema: object): object
  problem(description: string): object
  query(name: string, description: string, schema: object): object
  ref(name: keyof typeof REGISTRY_SCHEMAS): object
  readonly invalid: object
  readonly unauthenticated: object
  readonly unavailable: object
}

export const REGISTRY_SCHEMAS = {
  NewModel,
  ModelChange,
  RegisteredModelView,
  RegistryPage,
  NewVersion,
  VersionChange,
  VersionView,
  NewUpload,
  UploadView,
  AliasChange,
  AliasView,
  AliasList,
} as const

const inPath = (name: string, pattern: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', pattern },
})
const model = inPath('name', TOKEN.source)
const alias = inPath('alias', '^[a-z][a-z0-9_-]{0,63}$')
const version = inPath('version', '^[1-9][0-9]{0,8}$')
const sha256 = inPath('sha256', '^[0-9a-f]{64}$')

/** Registering models and their files: docs/registry.md tells it as a story. */
export function registryPaths({ json, problem, query, ref, invalid, unauthenticated, unavailable }: Terms) {
  const common = { 401: unauthenticated, 503: unavailable }
  const writing = {
    ...common,
    400: invalid,
    403: problem('Your token lacks the scope `models`.'),
    413: problem('The body is too large.'),
  }
  const unknown = problem('No such model, or version of it.')
  const inUse = problem('Requests to it are under way, nodes have it in memory, or an alias means it.')
  const force = query('force', '`true`: also from under nodes that have it in memory (scope `admin`).', {
    type: 'string',
    enum: ['true', 'false'],
  })
  const body = (name: keyof typeof REGISTRY_SCHEMAS) => ({
    required: true,
    content: { 'application/json': { schema: ref(name) } },
  })
  const upload = json('The upload as it stands.', ref('UploadView'))
  const noUpload = problem('No such upload.')
  const noAlias = problem('No such model, or alias of it.')
  return {
    '/models/{name}/aliases': {
      get: {
        summary: 'The aliases of a model: what they mean, and what they are about to mean',
        parameters: [model],
        responses: { ...common, 200: json('The aliases.', ref('AliasList')), 404: problem('No such model.') },
      },
    },
    '/models/{name}/aliases/{alias}': {
      get: {
        summary: 'One alias of a model',
        parameters: [model, alias],
        responses: { ...common, 200: json('The alias.', ref('AliasView')), 404: noAlias },
      },
      put: {
        summary: 'Switch an alias to a version (scope `models`)',
        description:
          'The nodes that need it load the version and run it once; then the alias means it. When one cannot, the alias keeps its meaning, and `failure` says why.',
        parameters: [model, alias],
        requestBody: body('AliasChange'),
        responses: {
          ...writing,
          200: json('It means the version already.', ref('AliasView')),
          202: json('The switch has begun.', ref('AliasView')),
          404: unknown,
        },
      },
      delete: {
        summary: 'Take an alias away, and end its switch (scope `models`)',
        parameters: [model, alias],
        responses: { ...writing, 204: { description: 'It is gone.' }, 404: noAlias },
      },
    },
    '/registry': {
      get: {
        summary: 'What is registered, by name, also what cannot be asked (yet)',
        parameters: [
          query('q', 'Words that are all in what is told of the model.', { type: 'string', maxLength: 200 }),
          query('status', 'Models with a version that stands so.', { type: 'string', enum: VERSION_STATUSES }),
          query('nextCursor', 'Where the page before this one ended.', { type: 'string', pattern: TOKEN.source }),
          query('limit', 'Models in a page.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
        ],
        responses: { ...common, 200: json('A page.', ref('RegistryPage')), 400: invalid },
      },
    },
    '/models/{name}/versions': {
      post: {
        summary: 'Register a version: a manifest, with its files by SHA-256 (scope `models`)',
        parameters: [model],
        requestBody: body('NewVersion'),
        responses: {
          ...writing,
          201: json('Registered; `missing` has to be uploaded.', ref('VersionView')),
          404: unknown,
          409: problem('The number is used, for good.'),
        },
      },
    },
    '/models/{name}/versions/{version}': {
      get: {
        summary: 'Where a version stands',
        parameters: [model, version],
        responses: { ...common, 200: json('The version.', ref('VersionView')), 404: unknown },
      },
      patch: {
        summary: 'Deprecate a version, or take that back (scope `models`)',
        parameters: [model, version],
        requestBody: body('VersionChange'),
        responses: { ...writing, 200: json('The version.', ref('VersionView')), 404: unknown },
      },
      delete: {
        summary: 'Delete a version (scope `models`)',
        parameters: [model, version, force],
        responses: { ...writing, 204: { description: 'It is gone.' }, 404: unknown, 409: inUse },
      },
    },
    '/models/{name}': {
      get: {
        summary: 'A model and its versions, newest first',
        parameters: [model],
        responses: { ...common, 200: json('The model.', ref('RegisteredModelView')), 404: unknown },
      },
      patch: {
        summary: 'Change what is told of it (scope `models`)',
        parameters: [model],
        requestBody: body('ModelChange'),
        responses: { ...writing, 200: json('The model.', ref('RegisteredModelView')), 404: unknown },
      },
      delete: {
        summary: 'Delete it with all its versions (scope `models`)',
        parameters: [model, force],
        responses: { ...writing, 204: { description: 'It is gone.' }, 404: unknown, 409: inUse },
      },
    },
    '/uploads': {
      post: {
        summary: 'Begin to upload a file, or go on (scope `models`)',
        requestBody: body('NewUpload'),
        responses: {
          ...writing,
          200: json('It is there already, or has begun.', ref('UploadView')),
          201: upload,
          422: problem('Another size is known for this SHA-256.'),
        },
      },
    },
    '/uploads/{sha256}': {
      get: {
        summary: 'Which parts are there (scope `models`)',
        parameters: [sha256],
        responses: { ...writing, 200: upload, 404: noUpload },
      },
      delete: {
        summary: 'Give it up (scope `models`)',
        parameters: [sha256],
        responses: { ...writing, 204: { description: 'Its parts are gone.' }, 404: noUpload },
      },
    },
    '/uploads/{sha256}/parts/{number}': {
      put: {
        summary: 'Send a part; each has `partBytes`, but for the last (scope `models`)',
        parameters: [sha256, { name: 'number', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }],
        requestBody: { required: true, content: { 'application/octet-stream': { schema: { type: 'string' } } } },
        responses: { ...writing, 204: { description: 'It is there.' }, 404: noUpload, 409: problem('Not just now.') },
      },
    },
    '/uploads/{sha256}/complete': {
      post: {
        summary: 'Put the parts together, and verify the SHA-256 (scope `models`)',
        parameters: [sha256],
        responses: {
          ...writing,
          200: upload,
          404: noUpload,
          409: problem('Parts are missing, or somebody else completes it.'),
          422: problem('The content is another; nothing of it is kept.'),
        },
      },
    },
    '/artifacts/{sha256}': {
      get: {
        summary: 'A stored file (scope `models`, or a node)',
        parameters: [sha256],
        responses: {
          ...writing,
          200: { description: 'The file.', content: { 'application/octet-stream': { schema: { type: 'string' } } } },
          404: problem('No such file.'),
        },
      },
    },
  }
}
