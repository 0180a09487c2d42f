/** What `fixed` takes. */
export const FIXED_INPUT = { name: 'X', datatype: 'FP32', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }
const X = FIXED_INPUT

/** Requests to `fixed`, each wrong in one way. */
export const MISTAKES: readonly (readonly [string, unknown])[] = [
  ['an input that is not there', { inputs: [] }],
  ['an input of another name', { inputs: [{ ...X, name: 'Z' }] }],
  ['one input too many', { inputs: [X, { ...X, name: 'Z' }] }],
  ['an input twice', { inputs: [X, X] }],
  ['another datatype', { inputs: [{ ...X, datatype: 'FP64' }] }],
  ['another shape', { inputs: [{ ...X, shape: [3, 2] }] }],
  ['another number of dimensions', { inputs: [{ ...X, shape: [6] }] }],
  ['too few values', { inputs: [{ ...X, data: [1, 2] }] }],
  ['a shape far larger than its data', { inputs: [{ ...X, shape: [1_000_000_000, 1_000_000_000] }] }],
  ['a size below zero', { inputs: [{ ...X, shape: [-2, -3] }] }],
  ['null for a number', { inputs: [{ ...X, data: [1, 2, 3, 4, 5, null] }] }],
  ['a number too large', { inputs: [{ ...X, data: [1, 2, 3, 4, 5, 1e39] }] }],
  ['an output that is not there', { inputs: [X], outputs: [{ name: 'nothing' }] }],
  ['BF16', { inputs: [{ ...X, datatype: 'BF16' }] }],
  ['shared memory', { inputs: [{ ...X, data: undefined, parameters: { shared_memory_region: 'r' } }] }],
  ['an id that is no string', { id: 7, inputs: [X] }],
  ['inputs that are no list', { inputs: X }],
  ['a list', [X]],
]
