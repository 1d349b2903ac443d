/** The language of the traces: what a scenario says, and what Erlang/OTP answered. Described in docs/otp.md. */

export interface Sup {
  readonly strategy?: string
  readonly intensity?: number
  readonly period?: number
  readonly auto_shutdown?: string
  readonly children?: readonly Child[]
}

/** How a child behaves; the numbers count the calls of its start function, in the whole scenario. */
export interface Behaviour {
  readonly fail?: readonly number[]
  readonly ignore?: readonly number[]
  readonly die?: readonly (readonly [number, string])[]
  readonly on_shutdown?: 'obey' | 'ignore' | 'fail'
}

export interface Child extends Behaviour {
  readonly id: string
  readonly restart?: string
  readonly shutdown?: number | string
  readonly significant?: boolean
  readonly type?: 'worker' | 'supervisor'
  readonly sup?: Sup
}

export type Call =
  | { readonly op: 'terminate_child' | 'restart_child' | 'delete_child'; readonly id: string; readonly sup?: string }
  | { readonly op: 'start_child'; readonly spec: Child; readonly sup?: string }
  | ({ readonly op: 'start_child'; readonly instance: string; readonly sup?: string } & Behaviour)
  | { readonly op: 'which_children' | 'count_children'; readonly sup?: string }

export type Op = Call | { readonly op: 'crash'; readonly id: string; readonly reason: string } | { readonly op: 'stop' }

export type Step =
  | Op
  | { readonly op: 'advance'; readonly s: number }
  | { readonly op: 'batch'; readonly sup?: string; readonly ops: readonly Op[] }

/** `['ok']`, `['ok', value]`, `['error', atom, …]`. */
export type Result = readonly unknown[]
export type Event = readonly [kind: string, id: string, attempt?: number, reason?: string]

export interface Heard {
  readonly r: Result | readonly Result[]
  readonly ev: readonly Event[]
}

export interface Trace {
  readonly start: Heard
  readonly steps: readonly Heard[]
  readonly end:
    | { readonly alive: true; readonly sups: Record<string, { readonly which: unknown; readonly count: unknown }> }
    | { readonly alive: false; readonly why: string; readonly reason?: string }
}

export interface Scenario {
  readonly name: string
  readonly sup: Sup
  readonly steps: readonly Step[]
  readonly expect: Trace
  /** What OTP itself calls a bug, or has changed since. */
  readonly quirk?: string
}

/** Reads a file of scenarios, one a line. Throws an error that names the line. */
export function parse(text: string, file: string): Scenario[] {
  return text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => {
      try {
        const scenario = JSON.parse(line) as Scenario
        if (typeof scenario.name !== 'string' || typeof scenario.sup !== 'object' || !Array.isArray(scenario.steps))
          throw new Error('name, sup or steps are missing')
        return scenario
      } catch (cause) {
        throw new Error(`${file}:${number} is not a scenario: ${(cause as Error).message}`, { cause })
      }
    })
}
