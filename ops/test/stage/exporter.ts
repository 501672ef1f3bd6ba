import { runOps } from '../../../testing/processes.ts'

export interface Exporter {
  readonly port: number
  /** What it tells Prometheus now. */
  text(): Promise<string>
  /** Ends it, and waits until it is gone. */
  stop(): Promise<void>
}

/** Starts `millrace exporter` in a process of its own, on any free port. */
export async function startExporter(url: string): Promise<Exporter> {
  const exporter = runOps(['exporter', '--port', '0'], { env: { REDIS_URL: url } })
  const line = await exporter.waitForLine(/http:\S+\/metrics/)
  const address = new URL(/http:\S+\/metrics/.exec(line)?.[0] ?? '')
  return {
    port: Number(address.port),
    text: async () => await (await fetch(address)).text(),
    stop: async () => {
      exporter.kill()
      await exporter.exited
    },
  }
}
