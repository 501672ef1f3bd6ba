/** Receivers that do the same: a JSON check-in comes by POST, is checked, appended, and answered with 202 afterwards. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Redis } from 'ioredis'
import { connect } from 'millrace'
import { pino } from 'pino'
import { checkinModel, type Checkin } from '../../checkin/src/domain/checkins.ts'
import { createReceiver } from '../../checkin/src/receiver/receiver.ts'

export interface IngestRival {
  readonly name: string
  readonly label: string
  readonly isOurs: boolean
  /** Listens on any free port of the loopback. @returns the port. */
  readonly listen: (redisUrl: string) => Promise<number>
}

const model = checkinModel('ncc')

export const ingestRivals = {
  nodeHttp: {
    ...{ name: 'node-http', label: 'node:http (JSON.parse and the same append, nothing else)' },
    ...{ isOurs: false, listen: nodeHttp },
  },
  express: {
    ...{ name: 'express', label: "Express (ioredis, the seed's way)" },
    ...{ isOurs: false, listen: seedsWay },
  },
  ours: { name: 'millrace', label: 'Millrace, receiver', isOurs: true, listen: ours },
} as const satisfies Record<string, IngestRival>

/** As little as can be done. */
async function nodeHttp(redisUrl: string): Promise<number> {
  const millrace = await connect({ url: redisUrl })
  const take = async (body: string, response: ServerResponse): Promise<void> => {
    const checkin = JSON.parse(body) as Checkin
    if (!isCheckin(checkin)) {
      response.writeHead(400).end()
      return
    }
    const { userId, locationId, starRating } = checkin
    const id = await millrace.append(model.checkins, { userId, locationId, starRating })
    const answer = JSON.stringify({ id })
    response.writeHead(202, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': answer.length,
    })
    response.end(answer)
  }
  const server = createServer((request: IncomingMessage, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => void take(body, response))
  })
  return await new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
}

/** As the receiver of the course does it: Express, its JSON parser, ioredis, an empty 202. */
async function seedsWay(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl)
  const app = express()
  app.use(express.json())
  app.post('/api/checkin', async (request, response) => {
    const checkin = request.body as Checkin
    if (!isCheckin(checkin)) {
      response.status(400).end()
      return
    }
    await redis.xadd(model.checkins.key, '*', ...Object.entries(checkin).flat().map(String))
    response.status(202).end()
  })
  return await new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function ours(redisUrl: string): Promise<number> {
  const millrace = await connect({ url: redisUrl })
  const group = millrace.group(model.checkins, 'checkinConsumers')
  const receiver = createReceiver({ millrace, model, group, log: pino({ level: 'info' }) })
  return Number(new URL(await receiver.listen({ host: '127.0.0.1', port: 0 })).port)
}

function isCheckin({ userId, locationId, starRating }: Checkin): boolean {
  return (
    Number.isSafeInteger(userId) &&
    Number.isSafeInteger(locationId) &&
    Number.isSafeInteger(starRating) &&
    userId > 0 &&
    locationId > 0 &&
    starRating >= 0 &&
    starRating <= 5
  )
}
