/** The page. */
import { createRoot } from 'react-dom/client'
import { SessionContext } from './state/hooks.ts'
import { takeKey } from './state/key.ts'
import { Session } from './state/session.ts'
import { unpack } from './state/standalone.ts'
import './style.css'
import { Page } from './view/page.tsx'

takeKey()
const session = new Session(await unpack())
session.start()
createRoot(document.getElementById('page') as HTMLElement).render(
  <SessionContext value={session}>
    <Page />
  </SessionContext>,
)
