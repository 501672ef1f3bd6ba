/**
 * One `/metrics` for all workers: whichever is asked asks the primary, which asks all and adds up. Promise: what counts up never
 * falls, though a worker dies or is too busy to tell.
 */
import cluster, { type Worker } from 'node:cluster'
import { AggregatorRegistry } from 'prom-client'

type Message =
  | { readonly kind: 'metrics-of-all?'; readonly id: number }
  | { readonly kind: 'metrics?'; readonly id: number; readonly withGroups: boolean }
  | { readonly kind: 'metrics'; readonly id: number; readonly metrics: object[] }
  | { readonly kind: 'metrics-of-all'; readonly id: number; readonly text: string }

const withinMs = 1000

/** In a worker: tells the primary its metrics when it asks. */
export function reportMetrics(
  own: (which: { readonly withGroups: boolean }) => Promise<object[]>,
): void {
  process.on('message', (message: Message) => {
    if (message.kind !== 'metrics?') return
    const { id, withGroups } = message
    void own({ withGroups }).then((metrics) => send({ kind: 'metrics', id, metrics }))
  })
}

let questions = 0

/** In a worker: the metrics of all, in the text format of Prometheus. @throws {Error} when the primary does not answer. */
export async function sumOfMetrics(): Promise<string> {
  questions += 1
  const id = questions
  return await new Promise((resolve, reject) => {
    const listen = (message: Message): void => {
      if (message.kind !== 'metrics-of-all' || message.id !== id) return
      settle()
      resolve(message.text)
    }
    const tooLate = setTimeout(() => {
      settle()
      reject(new Error('The primary process does not answer'))
    }, 2 * withinMs)
    const settle = (): void => {
      clearTimeout(tooLate)
      process.off('message', listen)
    }
    process.on('message', listen)
    send({ kind: 'metrics-of-all?', id })
  })
}

function send(message: Message): void {
  process.send?.(message)
}

/**
 * In the primary: answers the workers. Returns what asks them for itself. Of who does not tell its metrics within a second, or has ended, counters and histograms are
 * what it told last; its gauges are left out.
 */
export function answerMetricsQuestions(living: ReadonlySet<Worker>): () => Promise<string> {
  const told = new Told()
  cluster.on('exit', (worker) => told.keep(worker))
  cluster.on('message', (worker, { kind, id }: Message) => {
    if (kind !== 'metrics-of-all?') return
    void textOf(living, told).then((text) => {
      if (worker.isConnected()) worker.send({ kind: 'metrics-of-all', id, text } satisfies Message)
    })
  })
  return () => textOf(living, told)
}

/** What workers have counted, as far as they have told. */
class Told {
  readonly #latest = new Map<Worker, object[]>()
  /** The sum of those that have ended. */
  #ended: object[] = []

  /** @returns what is no count. */
  take(worker: Worker, metrics: readonly object[]): object[] {
    // The last word of one that has ended may come after its end: it is in the sum already.
    if (!worker.isDead()) this.#latest.set(worker, metrics.filter(isCount))
    return metrics.filter((metric) => !isCount(metric))
  }

  keep(worker: Worker): void {
    const latest = this.#latest.get(worker)
    if (latest === undefined) return
    this.#latest.delete(worker)
    this.#ended = AggregatorRegistry.aggregate([this.#ended, latest]).getMetricsAsArray()
  }

  /** One list for each worker, and one for those that have ended. */
  get counts(): object[][] {
    return [this.#ended, ...this.#latest.values()]
  }
}

function isCount(metric: object): boolean {
  const { type } = metric as { readonly type?: unknown }
  return type === 'counter' || type === 'histogram'
}

async function textOf(living: ReadonlySet<Worker>, told: Told): Promise<string> {
  const gauges = await Promise.all(
    [...living].map(async (worker, at) => {
      const metrics = await metricsOf(worker, at === 0)
      return metrics === undefined ? [] : told.take(worker, metrics)
    }),
  )
  return await AggregatorRegistry.aggregate([...gauges, ...told.counts]).metrics()
}

/** `withGroups`: it also tells of the groups, which are the same for all. */
function metricsOf(worker: Worker, withGroups: boolean): Promise<object[] | undefined> {
  questions += 1
  const id = questions
  return new Promise((resolve) => {
    const settle = (metrics: object[] | undefined): void => {
      clearTimeout(tooLate)
      worker.off('message', listen)
      resolve(metrics)
    }
    const listen = (message: Message): void => {
      if (message.kind === 'metrics' && message.id === id) settle(message.metrics)
    }
    const tooLate = setTimeout(() => settle(undefined), withinMs)
    worker.on('message', listen)
    if (worker.isConnected()) worker.send({ kind: 'metrics?', id, withGroups } satisfies Message)
  })
}
