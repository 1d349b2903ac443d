/** What runs first in a thread. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Guest } from '../ground/guest.ts'
import type { ToGuest } from '../ground/protocol.ts'

const port = parentPort
if (port === null) throw new Error('this is what runs in a thread of curtaincall, and nothing for itself')

const guest = new Guest({
  post: (message, moved) => port.postMessage(message, moved as never),
  pull: () => (receiveMessageOnPort(port) as { message: ToGuest } | undefined)?.message,
  shared: workerData as Int32Array,
})
port.on('message', (message: ToGuest) => guest.receive(message))
