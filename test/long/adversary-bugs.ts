/** Bugs that only those meet who act when they are called, and how many cases of the adversary it takes to find each. */
import { type Bug, searchWith } from './plant.ts'

interface AdversaryBug extends Bug {
  /** The rule of the adversary that has to be broken by it. */
  readonly breaks: string
}

/** Where `from` is empty, the place is still to be named. */
const ADVERSARY_BUGS: readonly AdversaryBug[] = [
  ...[
    { name: 'a word is told into a word that is being told', breaks: 'T4 word in a word' },
    { name: 'words are told in the order of their making, not of their numbers', breaks: 'T4 order' },
    { name: 'a word is lost when a listener throws', breaks: 'T4 missing' },
    { name: 'inside of a word, deeds wait until it is over', breaks: 'T5 not aborted' },
    { name: 'inside of a word, a shutdown begins when it is over', breaks: 'T7 shutdown' },
    { name: 'the answer of restartIf is taken without looking again', breaks: 'law noSpawnAfterStop' },
    { name: 'an id is asked for when the permit is taken already', breaks: 'T3 inconsistent' },
    { name: 'a stopped manager is struck by its name, whoever has it now', breaks: 'not ended' },
    { name: 'who was told to stop is restarted by its group', breaks: 'law exactlyOneTerminal' },
    { name: 'the delay of a restart is not forgotten when its run ends', breaks: 'started early' },
    { name: 'the delay of a restart stays armed when the child is gone', breaks: 'law noLiveResources' },
    { name: 'a series goes on over those who have ended meanwhile', breaks: 'incarnations' },
  ].map((bug) => ({ ...bug, file: '', from: '', to: '' })),
  {
    name: 'words are told in a later microtask',
    breaks: 'T12 not told',
    file: 'src/lifecycle-bus.ts',
    from: '    if (this.#delivering) {',
    to: `    if (!this.#delivering) {
      this.#delivering = true
      queueMicrotask(() => {
        this.#catchUp()
        this.#delivering = false
      })
    }
    if (this.#delivering) {`,
  },
  {
    name: 'who has taken his listener off is told still',
    breaks: 'T10 heard after off',
    file: 'src/lifecycle-bus.ts',
    from: '      own.live = false\n      const left = (this.#byType.get(type) ?? []).filter((other) => other !== own)',
    to: '      const left = this.#byType.get(type) ?? []',
  },
  {
    name: 'what is made by hand is not found at once',
    breaks: 'T7 create',
    file: 'src/branch.ts',
    from: '    this.order.add(child)\n    child.live()',
    to: '    this.order.add(child)\n    this.#managers.delete(name)\n    child.live()\n    queueMicrotask(() => this.#managers.set(name, child))',
  },
  {
    name: 'a shutdown takes longer than its time',
    breaks: 'out of time',
    file: 'src/shutdown.ts',
    from: 'this.#deadline = this.startedAt + plan.timeout\n',
    to: 'this.#deadline = this.startedAt + plan.timeout + 50\n',
  },
  {
    name: 'an announced restart is forgotten',
    breaks: 'never began',
    file: 'src/routine-registry.ts',
    from: '    else if (delay === 0 && !row.queued) this.#manager.stage.begin(row)\n',
    to: '',
  },
  {
    name: 'another end is told than the one that is kept',
    breaks: 'outcome',
    file: 'src/routine-registry.ts',
    from: '      this.announceEnd(row, kind, orphan, false)\n      this.#close',
    to: "      this.announceEnd(row, kind === 'killed' ? 'cancelled' : kind, orphan, false)\n      this.#close",
  },
  {
    name: 'a listener on a signal from outside outlives its routine',
    breaks: 'listener left',
    file: 'src/routine-registry.ts',
    from: 'if (signal !== undefined) this.#manager.stage.signals.unbind(signal, row)',
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
  const before = bugs.some(({ from }) => from !== '') ? (searchWith(undefined, SEARCH) as Rules) : {}
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
  if (bug.from === '') return 'no place named'
  try {
    return searchWith(bug, SEARCH) as Rules
  } catch (error) {
    return `not planted: ${(error as Error).message.split('\n')[0]}`
  }
}

type Rules = Readonly<Record<string, number>>
