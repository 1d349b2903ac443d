/** The children of a supervisor that are to run and do not. Whoever reads health finds them here: it may have any number of others. */
import type { Service } from './service.ts'

/**
 * DN1  In it are those that wait for a delayed restart, from its order to its beginning or its end.
 * DN2  And those that have failed by themselves and are not restarted, until they are started again or forgotten. What is temporary is
 *      never missed.
 */
export class Down {
  #services: Set<Service> | undefined
  readonly #path: string

  /** @param path Of the manager. */
  constructor(path: string) {
    this.#path = path
  }

  add(service: Service): void {
    ;(this.#services ??= new Set()).add(service)
  }

  delete(service: Service): void {
    this.#services?.delete(service)
  }

  paths(): string[] {
    return Array.from(this.#services ?? [], ({ id, name, type }) => `${this.#path}/${type === 'supervisor' ? id : `${name}#${id}`}`)
  }
}
