/** What is true of one incarnation: bits of one number, which is 24 B less than a field for each. */

export const OVER = 1
export const KILLED = 2
/** Its body has begun, and has not ended. */
export const BODY_RUNS = 4
export const TIMED = 8
/** Its body was asked to stop. */
export const ASKED = 16
/** What its body threw means that it has obeyed. */
export const OBEYED = 32
/** Its body had not ended when it was given up on. */
export const ORPHANED = 64
/** It is over, and its supervisor has not answered that yet. */
export const UNANSWERED = 128
/** Its body is to begin: a deed that has yet to be done. */
export const BEGINS = 256
/** It was told to stop by then, and is to hear of that when it has begun. */
export const ASKED_EARLY = 512
/** Its ground could not end its body in time. */
export const STUCK = 1024
