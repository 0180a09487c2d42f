/** A share more than so many times the mean sets a balancing off … */
export const HIGH = 1.25
/** … which stops at so many times the mean, so that the next change does not set it off again. */
export const SETTLED = 1.1
/** What is less than so many times the mean sets it off too: a node that has just come has nothing. */
export const LOW = 0.75
/** A partition's share is another when it has changed by so much of itself: less is noise. */
export const DRIFT = 0.15
/** A hot model takes no more of a node's time than this: one model costs little memory, and the rest stays for others. */
export const HOT_PART = 0.15
/** A model that has a partition of its own keeps it until it falls under so much of what it must have to get one. */
export const STAYS_HOT = 0.6
