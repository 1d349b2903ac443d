/** The receiver of @xstate/inspect, for those who read a bridge in a program of their own. */
export { createWebSocketReceiver } from '@xstate/inspect'
