/**
 * Who may come in: every request and every WebSocket is checked here before anything else happens.
 *
 * G1  Host has to be exactly ours, port included (that of HTTP may be left out): so a foreign name that resolves to 127.0.0.1 is turned
 *     away (DNS rebinding).
 * G2  An Origin, where there is one, has to be ours; a WebSocket has to have one. Another port of this machine is a stranger.
 * G3  Sec-Fetch-Site, where there is one, has to be same-origin, or none for what was typed or opened from outside.
 * G4  The token comes once, in the address, and is exchanged for a cookie that scripts can't read and other sites don't send.
 * G5  Cookies know no ports: any other server on this machine gets ours sent along. So live data is only for those who also
 *     have the key, which browsers keep by origin; from the cookie neither the key nor the token can be derived.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** Before the key, in the name of a WebSocket's protocol. */
const PROTOCOL_PREFIX = 'curtaincall.'

/** What a server lets in. */
export interface Gate {
  readonly port: number
  /** Hosts by which it may be called, port included (that of HTTP may be left out). */
  readonly hosts: readonly string[]
  readonly token: string
  /** What the token is exchanged for. */
  readonly cookie: string
  readonly key: string
}

/** What came of the check. */
export type Verdict = { readonly pass: true } | { readonly pass: false; readonly status: 400 | 401 | 403 | 405; readonly why: string }

/** The gate for a token. */
export function gateFor(port: number, hosts: readonly string[], token: string): Gate {
  const derived = (name: string): string => createHmac('sha256', token).update(name).digest('base64url')
  return { port, hosts, token, cookie: derived('cookie'), key: derived('key') }
}

/** The cookie's name, with the port: cookies are shared between ports. */
function cookieName({ port }: Gate): string {
  return `curtaincall-${port}`
}

/** Seconds after which a browser forgets it: every run has another port and cookie, and all of them are sent with every request. */
const KEPT = 7 * 24 * 3_600

/** The header that hands the cookie out. */
export function cookieFor(gate: Gate): string {
  return `${cookieName(gate)}=${gate.cookie}; Max-Age=${KEPT}; HttpOnly; SameSite=Strict; Path=/`
}

/** Where a request with the token is redirected to; the key stands behind `#`, which is sent to nobody. */
export function wayIn({ key }: Gate): string {
  return `/#key=${key}`
}

/** True if both are the same, in a time that says nothing about where they differ. */
export function sameToken(given: string, token: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(token))
}

function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}

const refused = (status: 400 | 401 | 403 | 405, why: string): Verdict => ({ pass: false, status, why })

/** Checks where a request comes from: G1 to G3. */
export function checkOrigin(gate: Gate, headers: IncomingHttpHeaders, socket: boolean): Verdict {
  const { host, origin } = headers
  if (host === undefined || !gate.hosts.includes(host)) return refused(403, 'Host')
  if (origin === undefined ? socket : !gate.hosts.some((ours) => origin === `http://${ours}`)) return refused(403, 'Origin')
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && (socket || site !== 'none')) return refused(403, 'Sec-Fetch-Site')
  return { pass: true }
}

/** Checks the cookie, which only those get who know the token: G4. */
export function checkCookie(gate: Gate, headers: IncomingHttpHeaders): Verdict {
  const cookie = cookieOf(headers, cookieName(gate))
  return cookie !== undefined && sameToken(cookie, gate.cookie) ? { pass: true } : refused(401, 'token')
}

/** Checks whether a WebSocket has the key: G5. It comes as its protocol, the only thing that a page can say of its own there. */
export function checkKey({ key }: Gate, { 'sec-websocket-protocol': protocol = '' }: IncomingHttpHeaders): Verdict {
  return sameToken(protocol, `${PROTOCOL_PREFIX}${key}`) ? { pass: true } : refused(401, 'key')
}

/** Headers of every answer. */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types curtaincall",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}
