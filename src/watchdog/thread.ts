/** The thread of a watchdog: looks whether the main thread turns, and carries out what machines/watchdog.ts decides. */
import { writeSync } from 'node:fs'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { initialTransition, transition } from 'xstate'
import { machineOfWatchdog, type WatchdogEffect } from '../../machines/watchdog.ts'
import { type Findings, Interrogation } from './interrogation.ts'
import { Floor, monotonic, SharedMemory, type Testimony, type WatchdogData } from './shared.ts'

/** Longest stack of a report, in lines. */
const LINES = 30

/** So many milliseconds the main thread is held at most, whatever it answers. */
const PATIENCE = 1_000

const {
  memory: buffer,
  floor: floorOfAll,
  port,
  token,
  interval,
  threshold,
  endAfter,
  name,
} = workerData as WatchdogData & { readonly port: MessagePort }
const memory = new SharedMemory(buffer)
const floor = new Floor(floorOfAll, token)
const machine = machineOfWatchdog()

let [state] = initialTransition(machine, { threshold, endAfter })
let tick = memory.tick
/** When it was first seen in this tick: earlier by what the tick itself says. */
let since = monotonic()
let lookedAt = since
let interrogation: Interrogation | undefined
let findings: Findings | undefined
/** True while another watchdog asks. */
let waits = false

function look(): void {
  const now = monotonic()
  const moved = memory.tick !== tick
  if (moved) begin(now)
  else if (waits) ask(now)
  if (interrogation?.heldSince !== undefined && now - interrogation.heldSince > PATIENCE) letGo()
  const late = now - lookedAt - interval
  lookedAt = now
  const [next, actions] = transition(machine, state, { type: 'look', moved, still: now - since, late })
  state = next
  for (const { type } of actions) carryOut(type as WatchdogEffect, now)
}

function begin(now: number): void {
  tick = memory.tick
  since = Math.min(now, memory.tickedAt)
  letGo()
  findings = undefined
  waits = false
}

function letGo(): void {
  if (interrogation === undefined) return
  interrogation.end()
  interrogation = undefined
  floor.give()
}

function carryOut(effect: WatchdogEffect, now: number): void {
  if (effect === 'startOver') since = now
  else if (effect === 'ask') ask(now)
  else end(now - since)
}

function ask(now: number): void {
  memory.asks(tick, now)
  // It counts anew after a time in which this thread could not look, and has asked before that.
  if (interrogation !== undefined) return
  waits = !floor.take()
  if (waits) return
  const asked = (interrogation = new Interrogation(token))
  let after = Infinity
  const heard = (): void => void (after = monotonic() - now)
  asked.begin(heard, (answer) => {
    if (interrogation !== asked) return
    interrogation = undefined
    floor.give()
    findings = answer
    port.postMessage({ tick, after, ...answer } satisfies Testimony)
  })
}

function end(still: number): void {
  const { path = name, stack = '' } = findings ?? {}
  const lines = stack === '' ? ['in a call that runs no JavaScript, or not known where'] : stack.split('\n').slice(0, LINES)
  const what = `curtaincall: the event loop has been blocked for ${(still / 1_000).toFixed(1)} s by ${path}; its limit is ${endAfter} ms, and the process is ended`
  writeSync(2, `${[what, ...lines.map((line) => `    ${line}`)].join('\n')}\n`)
  process.kill(process.pid, 'SIGKILL')
}

setInterval(look, interval)
parentPort?.postMessage('up')
