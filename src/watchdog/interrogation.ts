/**
 * Asks a thread that is blocked what it is at, from another one: by the inspector's protocol, which reaches it in the midst of a loop.
 * Nothing is asked, and nothing costs anything, before it is blocked.
 */
import { type Debugger, type Runtime, Session } from 'node:inspector'
import { monotonic, WITNESSES } from './shared.ts'

/** Frames that are looked at, innermost first, and scopes of each. */
const FRAMES = 64
const SCOPES = 6
/** Distinct works whose place in the source is looked up. */
const WORKS = 200

const LOCAL: ReadonlySet<string> = new Set(['local', 'block', 'catch', 'closure'])

/** What was found out. */
export interface Findings {
  readonly stack: string
  readonly path: string | undefined
  /** Why the path could not be found out, if that failed. */
  readonly fault: string | undefined
}

type Frame = Debugger.CallFrame

/** One question to the thread that is watched. */
export class Interrogation {
  readonly #session = new Session()
  readonly #token: number
  /** Since when the thread is held, by the clock of `monotonic`; undefined while it is not. */
  heldSince: number | undefined
  readonly #urls = new Map<string, string>()

  constructor(token: number) {
    this.#token = token
  }

  /**
   * Calls `heard` as soon as it is heard at all, and `answered` when it has answered, and lets it go on; neither if it is ended before.
   */
  begin(heard: () => void, answered: (findings: Findings) => void): void {
    const session = this.#session
    session.connectToMainThread()
    session.post('Runtime.evaluate', { expression: '0' }, heard)
    session.on('Debugger.scriptParsed', ({ params }) => void this.#urls.set(params.scriptId, params.url))
    session.once('Debugger.paused', ({ params: { callFrames } }) => {
      this.heldSince = monotonic()
      const stack = callFrames.map((frame) => this.#line(frame)).join('\n')
      void this.#whose(callFrames).then(
        (path) => this.#done(answered, { stack, path, fault: undefined }),
        (fault: unknown) => this.#done(answered, { stack, path: undefined, fault: String(fault) }),
      )
    })
    session.post('Debugger.enable')
    session.post('Debugger.pause')
  }

  #done(answered: (findings: Findings) => void, findings: Findings): void {
    this.end()
    answered(findings)
  }

  /** The thread goes on, if it was held. */
  end(): void {
    this.#session.post('Debugger.disable')
    this.#session.disconnect()
  }

  #line({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }: Frame): string {
    return `at ${functionName || '(anonymous)'} (${this.#urls.get(scriptId) ?? ''}:${lineNumber + 1}:${columnNumber + 1})`
  }

  async #whose(frames: readonly Frame[]): Promise<string | undefined> {
    const seen = frames.slice(0, FRAMES).flatMap(heldBy)
    const known = await this.#ask(`whose(seen, ${JSON.stringify(seen.map(({ isScope }) => isScope))})`, seen)
    return known ?? (await this.#byPlace(frames))
  }

  /** In which of the works the code on the stack stands, outermost first: that is the body. */
  async #byPlace(frames: readonly Frame[]): Promise<string | undefined> {
    const works = await this.#works()
    for (const { location } of frames.toReversed()) {
      const around = works.filter((work) => isWithin(location, work)).sort((a, b) => a.lines - b.lines)
      if (around[0] !== undefined) return this.#ask(`runs(${around[0].index})`)
    }
    return undefined
  }

  /** Where the works stand in the source. */
  async #works(): Promise<Range[]> {
    const texts = (await this.#evaluate(`${this.#witness}.texts(${WORKS})`, true)).result.value as string[]
    const { result } = await this.#evaluate(`${this.#witness}.works`, false)
    const elements = (await this.#propertiesOf(result)).result.filter(({ name }) => /^\d+$/.test(name))
    const places = await Promise.all(elements.map(async ({ value }) => locationOf(await this.#propertiesOf(value))))
    return places.flatMap((start, index) => (start === undefined ? [] : [rangeOf(index, start, texts[index] as string)]))
  }

  get #witness(): string {
    return `globalThis[Symbol.for('${WITNESSES}')].get(${this.#token})`
  }

  #propertiesOf({ objectId }: Partial<Runtime.RemoteObject> = {}): Promise<Runtime.GetPropertiesReturnType> {
    return this.#post((done) => this.#session.post('Runtime.getProperties', { objectId: objectId as string, ownProperties: true }, done))
  }

  #evaluate(expression: string, returnByValue: boolean): Promise<Runtime.EvaluateReturnType> {
    return this.#post((done) => this.#session.post('Runtime.evaluate', { expression, returnByValue, silent: true }, done))
  }

  /** Asks the witness; it is handed what is seen. */
  async #ask(question: string, seen: readonly Held[] = []): Promise<string | undefined> {
    if (seen.length === 0) return (await this.#evaluate(`${this.#witness}.${question}`, true)).result.value as string | undefined
    const { result, exceptionDetails } = await this.#post<Runtime.CallFunctionOnReturnType>((done) =>
      this.#session.post(
        'Runtime.callFunctionOn',
        {
          functionDeclaration: `function (...seen) { return ${this.#witness}.${question} }`,
          objectId: seen[0]?.objectId as string,
          arguments: seen.map(({ objectId }) => ({ objectId })),
          returnByValue: true,
          silent: true,
        },
        done,
      ),
    )
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value as string | undefined
  }

  #post<Result>(post: (done: (error: Error | null, result: Result) => void) => void): Promise<Result> {
    return new Promise((resolve, reject) => post((error, result) => (error === null ? resolve(result) : reject(error))))
  }
}

/** Something on the stack. */
interface Held {
  readonly objectId: string
  /** True for the variables of a scope. */
  readonly isScope: boolean
}

function heldBy(frame: Frame): Held[] {
  const scopes = frame.scopeChain.filter(({ type }) => LOCAL.has(type)).slice(0, SCOPES)
  const held = [...scopes.map(({ object }) => ({ object, isScope: true })), { object: frame.this, isScope: false }]
  return held.flatMap(({ object: { objectId }, isScope }) => (objectId === undefined ? [] : [{ objectId, isScope }]))
}

function locationOf({ internalProperties = [] }: Runtime.GetPropertiesReturnType): Debugger.Location | undefined {
  return internalProperties.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value as Debugger.Location | undefined
}

/** The place of a work in the source. */
interface Range {
  readonly index: number
  readonly start: Debugger.Location
  readonly lines: number
  /** Where it ends in its last line, at most. */
  readonly column: number
}

function rangeOf(index: number, start: Debugger.Location, text: string): Range {
  const lines = text.split('\n')
  const column = lines.length === 1 ? (start.columnNumber ?? 0) + text.length : (lines.at(-1) as string).length
  return { index, start, lines: lines.length, column }
}

function isWithin({ scriptId, lineNumber, columnNumber = 0 }: Debugger.Location, { start, lines, column }: Range): boolean {
  if (scriptId !== start.scriptId) return false
  const line = lineNumber - start.lineNumber
  if (line < 0 || line >= lines) return false
  return (line > 0 || columnNumber >= (start.columnNumber ?? 0)) && (line < lines - 1 || columnNumber <= column)
}
