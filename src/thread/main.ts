/** What runs first in a thread. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Guest } from '../ground/guest.ts'
import type { ToGuest } from '../ground/protocol.ts'
import { lookout } from './lookout.ts'

const port = parentPort
if (port === null) throw new Error('this is what runs in a thread of curtaincall, and nothing for itself')

const shared = workerData as Int32Array
const pull = (): ToGuest | undefined => (receiveMessageOnPort(port) as { message: ToGuest } | undefined)?.message
const receive = (message: ToGuest): void => guest.receive(message)
const guest = new Guest({
  post: (message, moved) => port.postMessage(message, moved as never),
  pull,
  shared,
  ended: lookout({ shared, pull, receive }),
})
port.on('message', receive)
