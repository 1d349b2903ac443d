/**
 * What the two sides of a ground say to each other: the host, where the routine lives, and its guest, a thread or a process that runs the
 * body. Small arrays, whose first item says what they are and whose second is the number of the run that they belong to.
 *
 * G1  Whatever belongs to a run that is over is dropped, on either side: by its number.
 * G2  No value of a user is posted where a failure to copy it would harm anybody else than who has handed it over.
 */
import type { Encoded } from './encode.ts'

/** Host to guest. */
export const BEGIN = 0
export const ABORT = 1
export const CLOSING = 2
export const MESSAGE = 3
export const NO_MORE = 4
/** Asks whether its event loop turns. */
export const PING = 5
export const BODY = 6

export type Begin = Extract<ToGuest, readonly [typeof BEGIN, ...unknown[]]>

export type ToGuest =
  /** A body that has yet to be named here: the module, and which of its exports it is. */
  | readonly [type: typeof BODY, run: 0, body: number, url: string, name: string]
  /** Flat, since names of members go along with each message: an object in its place takes a third of the way. */
  | readonly [
      type: typeof BEGIN,
      run: number,
      body: number,
      input: unknown,
      /** Its id and, before that, its name stand at the end of its path. */
      path: string,
      idLength: number,
      nameLength: number,
      incarnation: number,
      /** Milliseconds between two heartbeats that are passed on; Infinity if none is. */
      beatEvery: number,
    ]
  | readonly [type: typeof ABORT, run: number, reason: Encoded]
  | readonly [type: typeof CLOSING, run: number, reason: Encoded]
  /** The next message of a reader. With a number, its sender waits for an answer. */
  | readonly [type: typeof MESSAGE, run: number, reader: number, message: unknown, question: number]
  | readonly [type: typeof NO_MORE, run: number, reader: number]
  | readonly [type: typeof PING, run: number]

/** Guest to host. */
export const RETURNED = 10
export const THREW = 11
export const LEFT = 12
export const STRAYED = 13
export const NEXT = 14
export const READ = 15
export const REPLY = 16
export const LOG = 17
export const BEAT = 18
export const ASKS_CLOSING = 19
export const PONG = 20

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type ToHost =
  | readonly [type: typeof RETURNED, run: number, output: unknown]
  | readonly [type: typeof THREW, run: number, error: Encoded]
  /** It has called `exit`. */
  | readonly [type: typeof LEFT, run: number, reason: Encoded]
  /** Nobody has caught it: code of this run, which may be over, has let go of it. */
  | readonly [type: typeof STRAYED, run: number, error: Encoded]
  /** A reader asks for its next message. */
  | readonly [type: typeof NEXT, run: number, reader: number]
  /** A reader has ended. */
  | readonly [type: typeof READ, run: number, reader: number]
  | readonly [type: typeof REPLY, run: number, question: number, value: unknown]
  | readonly [type: typeof LOG, run: number, level: LogLevel, details: Encoded, text: string | undefined]
  | readonly [type: typeof BEAT, run: number]
  | readonly [type: typeof ASKS_CLOSING, run: number]
  | readonly [type: typeof PONG, run: number]

/** The number that stands for no question. */
export const UNASKED = -1

/** Of the memory that a host shares with a thread: the run that was told to stop. */
export const ABORTED_RUN = 0
/** How often the host has posted something. Who waits for the next run waits for a change of it. */
export const POSTED = 1
/** Words of it. */
export const SHARED_WORDS = 2
