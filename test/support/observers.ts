/** Who observes the traffic of a tree, beside those who only know whose code is running. */
import type { GlobalManager } from 'curtaincall'
import { type TrafficObserver, TrafficObservers } from '../../src/port/index.ts'
import { Senders } from '../../src/inspector/senders.ts'

export function tappersOf(global: GlobalManager): readonly TrafficObserver[] {
  const { observer } = global.tree
  const all = observer instanceof TrafficObservers ? observer.all : observer === undefined ? [] : [observer]
  return all.filter((each) => !(each instanceof Senders))
}
