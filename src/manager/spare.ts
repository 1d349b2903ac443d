/** A routine that never runs, of which nobody knows but the tree that keeps it. */
import { NameGroup } from '../count/index.ts'
import { type Host, SupervisedRoutine } from '../routine/index.ts'
import { compileRoutineSpec } from '../spec/index.ts'
import { Place } from './place.ts'

/**
 * Keeps what V8 knows of routines: it forgets the code for objects of a class of which a full collection finds none, and the next ten
 * thousand after a pause take three times as long. Undefined in a tree that is strict: there each has an actor, which would show.
 */
export function spareRoutine(host: Host<SupervisedRoutine>): SupervisedRoutine | undefined {
  const { tree } = host
  if (tree.strict || tree.isInspected) return undefined
  const apart = new Place(tree, undefined, '', Infinity)
  const routine = new SupervisedRoutine(host, '', rest, compileRoutineSpec(undefined, ''), undefined, NameGroup.of('', apart), undefined)
  // Made when it is first read.
  return routine.current === undefined ? undefined : routine
}

function rest(): void {}
