/**
 * mostEdits: how many changed lines two texts may differ in before they are told as removed and added: the time to compare
 * them grows with the square of it. The same for the relay's diffs and for those the console makes.
 */
export const mostEdits = 1000
