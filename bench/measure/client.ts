import { createClient } from 'redis'

/** A connection of the benchmark's own, or of a rival that uses node-redis. */
export type Client = ReturnType<typeof newClient>

/** Opens a node-redis connection set up for throughput. */
export async function openClient(url: string): Promise<Client> {
  const client = newClient(url)
  // Without a listener the loss of the server would end the process before the command's own error is told.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

function newClient(url: string) {
  return createClient({
    url,
    // The default timeout makes an AbortSignal for each command and costs most of the rate.
    commandOptions: { timeout: undefined as unknown as number },
    // A measurement that loses its server is void: fail at once.
    socket: { reconnectStrategy: false },
  })
}
