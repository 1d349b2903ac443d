/** The key of the process: it comes once, behind `#`, and browsers keep it by origin, as they do not keep cookies. */
const NAME = 'curtaincall-key'

/** Takes it out of the address, if it is there. */
export function takeKey(): void {
  const [, key] = /^#key=([\w-]+)$/.exec(location.hash) ?? []
  if (key === undefined) return
  localStorage.setItem(NAME, key)
  history.replaceState(null, '', location.pathname)
}

/** Calls back when another tab has got a newer one. */
export function onNewKey(callback: () => void): void {
  window.addEventListener('storage', ({ key }) => key === NAME && callback())
}

/** The protocol that a WebSocket names to be let in. Another page of the same origin may have got a newer key meanwhile. */
export const protocol = (): string => `curtaincall.${localStorage.getItem(NAME) ?? ''}`
