import { type Accepted, type Ended, endedMsgID } from '@oriel/protocol/fact'
import { acceptedSubject, endedSubject } from '@oriel/protocol/subjects'
import type { Fact } from './recent-facts.ts'

// Facts of a request as HISTORY takes them.

export const acceptedFact = (accepted: Accepted): Fact => ({
  subject: acceptedSubject(accepted.id),
  msgID: `accepted.${accepted.id}`,
  data: JSON.stringify(accepted),
})

export const endedFact = (ended: Ended): Fact => ({
  subject: endedSubject(ended.id),
  msgID: endedMsgID(ended),
  data: JSON.stringify(ended),
})
