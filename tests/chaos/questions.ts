/** What is asked under load. Each has one right answer, which a run before the faults tells. */
export interface Question {
  readonly key: string
  readonly modelID: string
  readonly input: unknown
  readonly parameters?: Readonly<Record<string, unknown>>
}

const FLOWERS = [
  [5.1, 3.5, 1.4, 0.2],
  [6.2, 2.9, 4.3, 1.3],
  [7.7, 3.8, 6.7, 2.2],
  [4.9, 2.4, 3.3, 1],
]
const SENTENCES = [
  'What a wonderful evening, I loved it.',
  'The food was cold and the waiter was rude.',
  'I would see this film again and again.',
  'A boring book with a terrible end.',
]
const STORIES = [
  { input: 'Once upon a time', maxTokens: 12, seed: 1 },
  { input: 'The little fox', maxTokens: 20, seed: 2 },
  { input: 'Anna found a', maxTokens: 30, seed: 3 },
  { input: 'The rain', maxTokens: 40, seed: 4 },
]

export const FLOWER_QUESTIONS: readonly Question[] = FLOWERS.map((features, index) => ({
  key: `iris-${index}`,
  modelID: 'iris',
  input: { features },
}))

export const SENTENCE_QUESTIONS: readonly Question[] = SENTENCES.map((input, index) => ({
  key: `sentiment-${index}`,
  modelID: 'sentiment',
  input,
}))

export const STORY_QUESTIONS: readonly Question[] = STORIES.map(({ input, maxTokens, seed }, index) => ({
  key: `story-${index}`,
  modelID: 'storyteller',
  input,
  parameters: { maxTokens, seed },
}))

export const QUESTIONS = [...FLOWER_QUESTIONS, ...SENTENCE_QUESTIONS, ...STORY_QUESTIONS]
