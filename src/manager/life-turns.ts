/** The turns and deeds of a manager's life, as functions of it. */
import { StartFailedError } from '../contract/index.ts'
import type { EndState, Life } from './life.ts'

export function noteOrder(life: Life, control: string): void {
  life.orderedBy = life.place.announce({ type: 'control.ordered', control }, 0)
}

export function giveUp(life: Life, error: unknown): void {
  life.giveUpBecause(error)
}

export function answerEnd(life: Life, state: EndState): void {
  life.answerEnd(state)
}

export function renewByHand(life: Life): void {
  life.renewByHand()
}

/** A deed. */
export function callStart(life: Life): void {
  life.tree.asyncContext.run(life.asyncContext, callStartThere, life, undefined)
}

function callStartThere(life: Life): void {
  const { name, path, incarnation, spec, turn } = life
  if (life.closed) return
  try {
    turn.arise(prepared, life, spec.start?.({ name, path, incarnation }))
  } catch (cause) {
    turn.arise(prepared, life, new StartFailedError(`${path}: start threw`, { cause, path }))
  }
}

function prepared(life: Life, answer: unknown): void {
  life.prepared(answer)
}
