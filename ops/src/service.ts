/**
 * Whom the commands work for. `millrace` is for any stream; a service hands in its own stream and group as defaults, its words, and
 * what it knows beyond what the engine knows.
 */
import type { Millrace } from 'millrace'
import type { Balance } from 'millrace/operate'
import type { Log } from './command/log.ts'
import type { Finding } from './doctor/finding.ts'

export interface Service {
  /** What stands before a command in texts that name one: `npx millrace`. */
  readonly program: string
  /** Key of the stream that commands are about unless `--stream` says otherwise. Without one, what is there is looked for. */
  readonly stream?: string
  /** Likewise of `--group`. */
  readonly group?: string
  readonly words: Words
  /** Of its own stream only: another one is shown as what it is to everybody. */
  readonly knowledge: Knowledge
  /**
   * Connects.
   * @param url from `--redis`; without it the service knows where
   * @param log told of the connection, for commands that work on and on
   * @throws {UsageError} when the URL cannot be used; {MillraceError} when nothing answers there.
   */
  readonly connect: (options: { readonly url?: string; readonly log?: Log }) => Promise<Millrace>
  /** Opens the log of a command that works on and on. */
  readonly openLog: () => Log
}

/** One and many. */
export type Noun = readonly [one: string, many: string]

/** What things are called, and what helps, where a service says it better. Plain words where it says nothing. */
export interface Words {
  /** What stands in the stream: `entry`, `entries`. */
  readonly entry: Noun
  /** Who works on it: `consumer`, `consumers`. */
  readonly worker: Noun
  /** How one more of them is started, as a sentence without full stop. */
  readonly startWorker: string
  /** What the entries were made into: `users and locations`. */
  readonly results: string
  /** Where to go when a key is taken: `use another stream`. */
  readonly elsewhere: string
  /** Behind "If it is new: create it", for a stream that does not exist: `, or "npm run load" for sample data`. */
  readonly orSampleData: string
  /** What a finding means for the service, by the name of its check: added to why it matters. */
  readonly meanings: Readonly<Record<string, string>>
  /** Added to the remedy, likewise. */
  readonly remedies: Readonly<Record<string, string>>
}

export interface Knowledge {
  /** Keys of the service, with the type that each has to be of, as TYPE tells it. */
  readonly keys: readonly { readonly key: string; readonly expected: string }[]
  /** Who reads the stream alone, without a group. */
  readonly readers: readonly NamedReader[]
  /** Looks at what only the service knows. */
  readonly examine: (millrace: Millrace, group: Examined) => Promise<(Finding | undefined)[]>
}

export interface NamedReader {
  /** The name of its dead letters. */
  readonly name: string
  /** What it is, as it stands within a sentence: `single processor`. */
  readonly title: string
  /** Where it keeps its position. */
  readonly positionKey: string
  /** Its name in the JSON of `groups`: `singleProcessor`. */
  readonly jsonName: string
}

/** The group that is examined; its balance is undefined without a group. */
export interface Examined {
  readonly name: string
  readonly hasStream: boolean
  readonly balance: Balance | undefined
}

export const plainWords: Words = {
  entry: ['entry', 'entries'],
  worker: ['consumer', 'consumers'],
  startWorker: 'Start a consumer of the group',
  results: 'the results of its entries',
  elsewhere: 'use another stream',
  orSampleData: '',
  meanings: {},
  remedies: {},
}

export const noKnowledge: Knowledge = { keys: [], readers: [], examine: () => Promise.resolve([]) }
