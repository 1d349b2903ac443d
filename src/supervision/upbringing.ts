/** What `routine` and `manager` give their specs to bring along. */
import type { Brought } from './brought.ts'
import { Children } from './children.ts'
import { Service } from './service.ts'

export const upbringing: Brought = {
  child: (spec, instance) => new Service(spec, instance),
  children: (lead, registry, supervisor) => new Children(lead, registry, supervisor),
}
