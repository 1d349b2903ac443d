/** What runs first in a process. */
import { Guest } from '../ground/guest.ts'
import type { ToGuest } from '../ground/protocol.ts'

const send = process.send?.bind(process)
if (send === undefined) throw new Error('this is what runs in a process of curtaincall, and nothing for itself')

const guest = new Guest({
  // Who does not hear it any more is gone, and this process about to go, too.
  post: (message) => void send(message, undefined, undefined, () => undefined),
})
process.on('message', (message) => guest.receive(message as ToGuest))
// It has nobody any more, and neither has what it has started.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
