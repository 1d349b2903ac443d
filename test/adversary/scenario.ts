/** What goes on in a tree from outside until it is shut down, at moments that come from the seed. */
import { LocalManager, type Manager } from 'curtaincall'
import { orders, type Order } from './orders.ts'
import { pick } from './pairwise.ts'
import { subtree } from './reading.ts'
import { END } from './trees.ts'
import { stir } from './stirs.ts'
import type { AnyRoutine, World } from './world.ts'

/** Orders of daily life: a shutdown among them would leave too little. */
const DAILY = [
  'exit error',
  'exit error',
  'exit normal',
  'cancel',
  'kill',
  'restart',
  'send',
  'send',
  'send a crash',
  'ask',
  'spawn a crash',
  'spawn a crash',
  'spawn',
  'startChild',
  'terminateChild',
  'restartChild',
]
const daily = DAILY.map((name) => orders.find((order) => order.name === name) as Order)

/** Something happens now and then. */
export function carryOn(world: World): void {
  const { random } = world
  const times = Array.from({ length: 12 }, () => Math.floor(random() * (END - 20)))
  for (const ms of times) setTimeout(() => happen(world), ms)
  for (const ms of [2, 18, 30, 36, 43, 50, 65, 110, 150]) setTimeout(() => world.enter('a timer outside', 'outside', 'g/a/l'), ms)
  stir(world)
  // A child is told to crash for certain, and a local manager given more than it may hold.
  setTimeout(() => crash(world), 25)
  setTimeout(() => fill(world), 35)
  for (const ms of [45, 90, 140]) setTimeout(() => flood(world), ms)
}

function happen(world: World): void {
  const { global, random } = world
  if (global === undefined) return
  const order = pick(random, daily)
  const routines = global.routines() as unknown as AnyRoutine[]
  const managers: Manager[] = subtree(global)
  const target = order.targets.includes('global') ? pick(random, managers) : routines.length === 0 ? undefined : pick(random, routines)
  if (target !== undefined) order.give(world, target)
}

function crash(world: World): void {
  const child = world.global?.routines().find(({ path, state }) => path === 'g/a/l/s1#s1' && state === 'running')
  if (child !== undefined) world.attempt('exit', () => child.exit(new Error('it has to crash')))
}

function fill(world: World): void {
  const local = world.global?.whereis('g/a/l')
  if (!(local instanceof LocalManager)) return
  for (let i = 0; i < 5; i++) world.attempt('spawn', () => local.spawn('late', () => 'done'))
}

/** One that crashes while letters wait for it. */
function flood(world: World): void {
  const box = world.global?.routinesNamed('box')[0] as AnyRoutine | undefined
  for (const letter of ['crash', 'left']) world.attempt('send', () => box?.send(letter))
}
