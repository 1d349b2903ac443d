/**
 * A thousand actors: couriers that report now and then, and a dispatcher that sends out two hundred short trips a second, of which some
 * fail. Among them is a tracker that reports no more after its fifth beat, so that it hangs while everything else goes well, and an
 * archive that does not obey: it holds up the shutdown for as long as it is given.
 *
 *     npx curtaincall run --controls test/inspector/programs/fleet.ts
 */
import { type Clock, type GlobalManager, type LocalManager, type Program, type RoutineContext, routine } from 'curtaincall'
import { ofPlatform, pause } from './pause.ts'

const DEPOTS = 8
/** Trips in one go, and milliseconds to the next. */
const AT_ONCE = 20
const ROUND = 100
/** One trip in so many fails. */
const FLAT_TYRE = 97
/** Milliseconds between two beats of the tracker, and after how many it stops. */
const BEAT = 1_000
const LAST_BEAT = 5

const untilTold = ({ signal }: RoutineContext): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))

/** Sends out trips, and waits for none of them. */
const dispatcher =
  (clock: Clock, trips: LocalManager) =>
  async ({ signal }: RoutineContext): Promise<void> => {
    for (let trip = 1; await pause(clock, ROUND, signal); ) {
      if (trips.state !== 'running') return
      for (let k = 0; k < AT_ONCE; k++, trip++) {
        const fails = trip % FLAT_TYRE === 0
        const sent = trips.spawn('trip', async (context) => {
          await pause(clock, 20 + k, context.signal)
          if (fails) throw new Error('a flat tyre')
        })
        // Looked at, so that nobody has to be told of each.
        void sent.outcome
      }
    }
  }

/** Its bug: after the last beat that it can count to it waits for something that never comes. */
const tracker = (clock: Clock) => async (context: RoutineContext) => {
  for (let beat = 1; beat <= LAST_BEAT && (await pause(clock, BEAT, context.signal)); beat++) context.heartbeat()
  await untilTold(context)
}

/** Its bug: it hears nothing of its signal. */
const archive = (): Promise<never> => new Promise(() => undefined)

/** Sends out the fleet in a tree, by its clock. */
export function sendFleet(global: GlobalManager, clock: Clock): void {
  const fleet = global.createApp('fleet')
  for (let depot = 1; depot <= DEPOTS; depot++) {
    const local = fleet.createLocal(`depot-${depot}`)
    for (let k = 1; k <= 1_000 / DEPOTS; k++) local.spawn('courier', untilTold)
  }
  const office = global.createApp('office')
  const trips = office.createLocal('trips')
  office.createLocal('control', {
    children: [routine('dispatcher', dispatcher(clock, trips)), routine('tracker', tracker(clock), { hungAfter: 3 * BEAT })],
  })
  office.createLocal('records', { children: [routine('archive', archive, { shutdown: 8_000 })] })
}

const program: Program = async (global, { signal }) => {
  sendFleet(global, ofPlatform)
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  return ['the fleet is home']
}

export default program
