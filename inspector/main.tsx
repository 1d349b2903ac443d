/** The page. */
import { createRoot } from 'react-dom/client'
import type { Recording } from '../src/inspector/protocol.ts'
import { SessionContext } from './state/hooks.ts'
import { takeKey } from './state/key.ts'
import { Session } from './state/session.ts'
import { unpack } from './state/standalone.ts'
import './style.css'
import { Page } from './view/page.tsx'

takeKey()
const embedded: readonly Recording[] = await unpack()
const session = new Session(embedded)
session.start()
createRoot(document.getElementById('page') as HTMLElement).render(
  <SessionContext value={session}>
    <Page />
  </SessionContext>,
)
