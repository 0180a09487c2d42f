/** What must not be. Each is a promise that was broken. */
export const RULES = {
  unanswered: 'a submit was never settled, though it was repeated',
  'not-the-same': 'a repeated submit was another request',
  'internal-error': 'an answer was 500: nobody had thought of it',
  'accepted-missing': 'an accepted request is not there',
  'refused-exists': 'a refused request is there',
  'refused-for-nothing': 'a submit that was right was refused for good',
  'no-retry-after': 'a refusal for want of room did not say when to come again',
  gap: 'an event number was left out',
  repeat: 'an event number came twice',
  'after-the-end': 'an event came after the terminal one',
  'no-end': 'there is no terminal event',
  'two-ends': 'there are several terminal events',
  'turned-away': 'a reader of an accepted request was refused',
  'cut-short': 'a reader was told that it had all, and had not',
  changed: 'an event is not what it was when a client saw it',
  'wrong-answer': 'the answer is not that of the undisturbed run',
  'over-budget': 'there were more attempts than the budget',
  'failed-for-nothing': 'it failed, was cancelled or expired without a reason',
  'cancel-undone': 'its cancellation was answered, and it is not as the answer said',
  late: 'it ended long after its time was over, though nothing held it up',
  'history-missing': 'an accepted request is not in the history',
  'history-twice': 'a request is in the history twice',
  'history-unknown': 'a request is in the history that nobody has sent',
  'history-differs': 'the history is not what clients saw',
  'history-order': 'the history is not newest first',
} as const
export type Rule = keyof typeof RULES

export interface Violation {
  readonly rule: Rule
  readonly user: string
  readonly requestID: string
  readonly detail: string
}

/** A reporter for one request. */
export const violating =
  ({ user, requestID }: { readonly user: string; readonly requestID: string }) =>
  (rule: Rule, detail: string): Violation => ({ rule, user, requestID, detail })
