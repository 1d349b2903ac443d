/** Bugs that only those meet who act when they are called, and how many cases of the adversary it takes to find each. */
import { type Bug, searchWith } from './plant.ts'

interface AdversaryBug extends Bug {
  /** The rule of the adversary that has to be broken by it. */
  readonly breaks: string
}

/** Where `from` is empty, the place is still to be named. */
const ADVERSARY_BUGS: readonly AdversaryBug[] = [
  { name: 'a word is told into a word that is being told', breaks: 'T4 word in a word', file: '', from: '', to: '' },
  { name: 'words are told in the order of their making, not of their numbers', breaks: 'T4 order', file: '', from: '', to: '' },
  { name: 'a word is lost when a listener throws', breaks: 'T4 missing', file: '', from: '', to: '' },
  { name: 'inside of a word, deeds wait until it is over', breaks: 'T5 not aborted', file: '', from: '', to: '' },
  { name: 'inside of a word, a shutdown begins when it is over', breaks: 'T7 shutdown', file: '', from: '', to: '' },
  { name: 'words are told in a later microtask', breaks: 'T12 not told', file: '', from: '', to: '' },
  { name: 'the answer of restartIf is taken without looking again', breaks: 'law noSpawnAfterStop', file: '', from: '', to: '' },
  { name: 'an id is asked for when the permit is taken already', breaks: 'T3 inconsistent', file: '', from: '', to: '' },
  { name: 'a stopped manager is struck by its name, whoever has it now', breaks: 'not ended', file: '', from: '', to: '' },
  { name: 'who was told to stop is restarted by its group', breaks: 'law exactlyOneTerminal', file: '', from: '', to: '' },
  { name: 'the delay of a restart is not forgotten when its run ends', breaks: 'started early', file: '', from: '', to: '' },
  { name: 'the delay of a restart stays armed when the child is gone', breaks: 'law noLiveResources', file: '', from: '', to: '' },
  { name: 'a series goes on over those who have ended meanwhile', breaks: 'incarnations', file: '', from: '', to: '' },
  { name: 'an outcome is kept before its end is told', breaks: 'outcome', file: '', from: '', to: '' },
]

const CASES = 4_000

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
  const before = searchWith(undefined, SEARCH) as Record<string, number>
  if (Object.keys(before).length > 0) console.log(`\nbroken without any bug: ${Object.keys(before).join(', ')}`)
  let missed = 0
  console.log('\n| planted | found in case | rule | all rules broken |\n| --- | ---: | --- | --- |')
  for (const bug of bugs) {
    const found = bug.from === '' ? {} : (searchWith(bug, SEARCH) as Record<string, number>)
    const rules = Object.keys(found).filter((rule) => before[rule] === undefined)
    const at = rules.includes(bug.breaks) ? String(found[bug.breaks]) : bug.from === '' ? 'no place named' : `not in ${CASES}`
    if (!rules.includes(bug.breaks)) missed++
    console.log(`| ${bug.name} | ${at} | ${bug.breaks} | ${rules.join(', ')} |`)
  }
  return missed
}
