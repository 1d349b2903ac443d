/** Bugs that only those meet who act when they are called, and how many cases of the adversary it takes to find each. */
import { type Bug, searchWith } from './plant.ts'

interface AdversaryBug extends Bug {
  /** The rule of the adversary that has to be broken by it. */
  readonly breaks: string
}

export const ADVERSARY_BUGS: readonly AdversaryBug[] = [
  {
    name: 'a word is told into a word that is being told',
    breaks: 'T4 word in a word',
    file: 'src/turn/turn.ts',
    from: '        if (this.#deeds.tail > this.#mark && this.#depth <= DEEPEST) this.#doOwn(this.#mark)\n',
    to: `        if (this.#deeds.tail > this.#mark && this.#depth <= DEEPEST) this.#doOwn(this.#mark)
      const { places } = this.#words
      for (let at = this.#words.head; at < this.#words.tail; at += WIDTH) {
        // The one that is being told.
        if (places[at] === undefined) continue
        this.#call(this.#words, at)
        // The call further out comes by here again.
        places[at] = () => undefined
      }
`,
  },
  {
    name: 'a restart is told as a deed, before the words that have a lower number',
    breaks: 'T4 order',
    file: 'src/turn/lifecycle-bus.ts',
    from: '    this.turn.word(deliver, to, event)\n',
    to: "    if (event.type === 'routine.restarted') this.turn.deed(deliver, to, event)\n    else this.turn.word(deliver, to, event)\n",
  },
  {
    name: 'a word is lost when a listener throws',
    breaks: 'T4 missing',
    file: 'src/turn/lifecycle-bus.ts',
    from: '      this.contain(error, `a listener of ${what} threw`)\n',
    to: '      throw error\n',
  },
  {
    name: 'inside of a word, deeds wait until it is over',
    breaks: 'T5 not aborted',
    file: 'src/turn/turn.ts',
    from: '        if (this.#deeds.tail > this.#mark && this.#depth <= DEEPEST) this.#doOwn(this.#mark)\n',
    to: '',
  },
  {
    name: 'inside of a word, a shutdown begins when it is over',
    breaks: 'T7 shutdown',
    file: 'src/manager/life.ts',
    from: "    this.tell({ type: 'shutdown', mode: plan.mode })\n",
    to: "    this.turn.afterWords(() => this.tell({ type: 'shutdown', mode: plan.mode }), undefined)\n",
  },
  {
    name: 'the answer of restartIf is taken without looking again',
    breaks: 'law noSpawnAfterStop',
    file: 'src/supervision/routine-registry.ts',
    from: 'if (routine.stopRequested || this.#host.closed) return false\n',
    to: 'if (routine.memory.helps !== true && (routine.stopRequested || this.#host.closed)) return false\n',
  },
  {
    name: 'an id is asked for when the permit is taken already',
    breaks: 'T3 inconsistent',
    file: 'src/manager/local-manager.ts',
    from: '    return this.registry.generateId()\n',
    to: '    this.life.gate.take()\n    try {\n      return this.registry.generateId()\n    } finally {\n      this.life.gate.give()\n    }\n',
  },
  {
    name: 'a stopped manager is struck by its name again when all have heard of it, whoever has it now',
    breaks: 'not ended',
    file: 'src/manager/subtree.ts',
    from: '    if (this.#managers?.get(child.name) === child) this.#managers.delete(child.name)\n',
    to: `    this.#managers?.delete(child.name)
    this.#life.turn.afterWords(() => this.#managers?.delete(child.name), undefined)
`,
  },
  {
    name: 'who was told to stop is restarted by its group',
    breaks: 'law exactlyOneTerminal',
    file: 'src/supervision/commands.ts',
    from: "      if (service.toRestart === false) return 'ignore'\n",
    to: '',
  },
  {
    name: 'the delay of a restart is not forgotten when its run ends',
    breaks: 'started early',
    file: 'src/supervision/children.ts',
    from: '    this.#commands.disarm(service)\n    registry.announceEnd',
    to: '    registry.announceEnd',
  },
  {
    name: 'the delay of a restart stays armed when the child is gone',
    breaks: 'law noLiveResources',
    file: 'src/supervision/commands.ts',
    from: '    this.#tree.clock.clearTimeout(service.restartTimer)\n',
    to: '',
  },
  {
    name: 'a series passes over the next whenever something has to be done first',
    breaks: 'not told',
    file: 'src/turn/slices.ts',
    from: '    turn.next(advance, series)\n',
    to: '    targets.next()\n    turn.next(advance, series)\n',
  },
  {
    name: 'words are told in a later microtask',
    breaks: 'T12 not told',
    file: 'src/turn/turn.ts',
    from: '    } else if (!this.isQuiet) this.#flush()\n',
    to: `    } else {
      this.#doOwn(0)
      if (this.#words.tail > 0)
        queueMicrotask(() => {
          this.busy = true
          this.#flush()
          this.busy = false
        })
    }
`,
  },
  {
    name: 'who has taken his listener off is told still',
    breaks: 'T10 heard after off',
    file: 'src/turn/lifecycle-bus.ts',
    from: '    own.until = bus.latest\n    bus.count(type, -1)\n',
    to: '    if (own.after >= 0) return\n    bus.count(type, -1)\n',
  },
  {
    name: 'what is made by hand is not found at once',
    breaks: 'T7 create',
    file: 'src/manager/subtree.ts',
    from: '    managers.set(name, child)\n',
    to: '    queueMicrotask(() => managers.set(name, child))\n',
  },
  {
    name: 'a shutdown takes longer than its time',
    breaks: 'out of time',
    file: 'src/shutdown/shutdown.ts',
    from: 'this.#deadline = this.startedAt + plan.timeout\n',
    to: 'this.#deadline = this.startedAt + plan.timeout + 50\n',
  },
  {
    name: 'an announced restart is forgotten',
    breaks: 'never began',
    file: 'src/supervision/routine-registry.ts',
    from: '    else if (!routine.queued) this.#tree.begin(routine.current)\n',
    to: '',
  },
  {
    name: 'another end is told than the one that is kept',
    breaks: 'outcome',
    file: 'src/supervision/routine-registry.ts',
    from: '      this.announceEnd(routine, kind, orphan, false)\n      this.#close',
    to: "      this.announceEnd(routine, kind === 'killed' ? 'cancelled' : kind, orphan, false)\n      this.#close",
  },
  {
    name: 'a listener on a signal from outside outlives its routine',
    breaks: 'listener left',
    file: 'src/supervision/routine-registry.ts',
    from: 'if (signal !== undefined) this.#tree.signals.unbind(signal, routine)',
    to: '',
  },
]

const CASES = 1_000

const SEARCH = `
import { playAll } from './test/adversary/campaign.ts'
const rules = {}
const { failed } = await playAll(${CASES}, 1)
for (const { case: { index }, findings } of failed) for (const { rule } of findings) rules[rule] ??= index + 1
console.log('\\n' + JSON.stringify(rules))
`

/** Looks for each; answers how many were not found. */
export function searchAdversary(wanted: string | undefined): number {
  const bugs = ADVERSARY_BUGS.filter(({ name }) => wanted === undefined || name.includes(wanted))
  if (bugs.length === 0) return 0
  // A rule that is broken anyway shows nothing: only what the bug adds counts.
  const before = searchWith(undefined, SEARCH) as Rules
  if (Object.keys(before).length > 0) console.log(`\nbroken without any bug: ${Object.keys(before).join(', ')}`)
  let missed = 0
  console.log('\n| planted for the adversary | found in case | rule | all rules broken |\n| --- | ---: | --- | --- |')
  for (const bug of bugs) {
    const found = search(bug)
    const rules = typeof found === 'string' ? [] : Object.keys(found).filter((rule) => before[rule] === undefined)
    const bites = typeof found !== 'string' && rules.includes(bug.breaks)
    if (!bites) missed++
    console.log(
      `| ${bug.name} | ${bites ? found[bug.breaks] : typeof found === 'string' ? found : `not in ${CASES}`} | ${bug.breaks} | ${rules.join(', ')} |`,
    )
  }
  return missed
}

/** In which case each rule is broken first; or why that could not be seen. */
function search(bug: AdversaryBug): Rules | string {
  try {
    return searchWith(bug, SEARCH) as Rules
  } catch (error) {
    return `not planted: ${(error as Error).message.split('\n')[0]}`
  }
}

type Rules = Readonly<Record<string, number>>
