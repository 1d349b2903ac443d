/** docs/machines.md is drawn from the machines themselves: `vitest -u` after a change. */
import { expect, test } from 'vitest'
import type { AnyStateMachine, AnyStateNode } from 'xstate'
import {
  appManagerMachine,
  globalManagerMachine,
  localManagerMachine,
  routineMachine,
  signalsMachine,
  workerMachine,
} from 'curtaincall/machines'

const nameOf = (node: AnyStateNode): string => node.path.join('_')

function edges(node: AnyStateNode): string[] {
  return [...node.transitions.values()].flat().flatMap((transition) =>
    (transition.target ?? []).map((target) => {
      const guard =
        typeof transition.guard === 'string' ? ` [${transition.guard}]` : transition.guard === undefined ? '' : ' [mode is immediate]'
      return `${nameOf(node)} --> ${nameOf(target as AnyStateNode)}: ${transition.eventType}${guard}`
    }),
  )
}

function draw(node: AnyStateNode, indent: string): string[] {
  return Object.values(node.states).flatMap((state) => {
    const inside =
      Object.keys(state.states).length === 0
        ? []
        : [`state ${nameOf(state)} {`, `  [*] --> ${nameOf(state)}_${String(state.config.initial)}`, ...draw(state, '  '), '}']
    return [`${nameOf(state)}: ${state.key}`, ...inside].map((line) => indent + line)
  })
}

function all(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states).flatMap((state) => [state, ...all(state)])
}

function mermaid(machine: AnyStateMachine): string {
  const nodes = all(machine.root)
  const ends = nodes.filter((node) => node.type === 'final').map((node) => `${nameOf(node)} --> [*]`)
  const lines = [`[*] --> ${String(machine.root.config.initial)}`, ...draw(machine.root, ''), ...nodes.flatMap(edges), ...ends]
  return ['```mermaid', 'stateDiagram-v2', ...lines.map((line) => `  ${line}`), '```'].join('\n')
}

function effects(machine: AnyStateMachine): string {
  return all(machine.root)
    .filter((node) => node.entry.length > 0)
    .map(
      (node) =>
        `- entering \`${node.path.join('.')}\`: ${node.entry.map((action) => `\`${(action as { type?: string }).type ?? String(action)}\``).join(', ')}`,
    )
    .join('\n')
}

test('docs/machines.md shows the machines as they are', async () => {
  const text = `# The machines

Drawn from \`curtaincall/machines\` by test/project/drawn-machines.test.ts. They are plain XState machines: import them, open them in
any XState editor, run them with \`createActor\`. What they decide is carried out in src, in the file of the same name. Whatever else
\`curtaincall/machines\` exports is listed in [api.md](api.md#the-machines).

## A routine's incarnation

\`routineMachine\`:

${mermaid(routineMachine)}

## A manager

\`globalManagerMachine\`, \`appManagerMachine\` and \`localManagerMachine\` are one machine under three ids (${[globalManagerMachine, appManagerMachine, localManagerMachine].map(({ id }) => `\`${id}\``).join(', ')}):

${mermaid(globalManagerMachine)}

${effects(globalManagerMachine)}

## The signals of the operating system

\`signalsMachine\`, of \`handleSignals\` (src/manager/process-signals.ts):

${mermaid(signalsMachine)}

${effects(signalsMachine)}

## A worker of a pool

\`workerMachine\`, a thread or a process; what it decides is carried out in src/ground/pool-worker.ts. Wherever it is, \`exit\` leads to \`gone\`:

${mermaid(workerMachine)}
`
  await expect(text).toMatchFileSnapshot('../../docs/machines.md')
})
