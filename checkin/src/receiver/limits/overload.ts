/** What clients and the log are told while the receiver holds back; the engine's `Pressure` says when. */
import { randomInt } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Pressure, PressureReason, PressureSample, PressureState } from 'millrace'
import type { Log } from '../../log.ts'
import type { Problem } from '../http/problem.ts'
import { refuseEarly } from '../http/resources.ts'
import { countOf } from 'millrace-ops/terminal'

/** Where the receiver reads whether it may take check-ins: it must cost nothing. */
export type PressureSource = Pick<Pressure, 'state'>

const details: Readonly<Record<PressureReason, string>> = {
  backlog: 'Too many check-ins wait to be processed',
  memory: 'The store is nearly full',
  'event-loop': 'This receiver has more to do than it can',
}

/** A backlog is the clients' common doing, and they may slow down: 429. The other two are ours: 503. */
function statusOf(reason: PressureReason): 429 | 503 {
  return reason === 'backlog' ? 429 : 503
}

/**
 * Refuses a check-in before its body is read, while there is too much pressure; nothing is appended.
 * @returns true when it has answered.
 */
export function refuseUnderPressure(
  { state }: PressureSource,
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  if (state.kind === 'free') return false
  const least = Math.max(1, Math.ceil(state.retryAfterMs / 1000))
  // Up to twice as long, at random, so that not all clients come at once.
  reply.header('retry-after', randomInt(least, 2 * least + 1))
  refuseEarly(request, reply, pressureProblem(state.reason))
  return true
}

/** What a client is told while there is too much pressure. */
export function pressureProblem(reason: PressureReason): Problem {
  const status = statusOf(reason)
  const detail = `${details[reason]}. The check-in was not recorded`
  return status === 429
    ? { type: '/problems/backlog', title: 'Too many check-ins', status, detail }
    : { type: '/problems/unavailable', title: 'Temporarily unavailable', status, detail }
}

/** Says once that the receiver holds back, and why, and that it is over. */
export function logPressure(log: Log): (state: PressureState, sample: PressureSample) => void {
  return (state, sample) => {
    if (state.kind === 'free') log.info('Pressure is over: taking check-ins again.')
    else log.warn(`Answering with ${statusOf(state.reason)}: ${measured(state.reason, sample)}.`)
  }
}

function measured(reason: PressureReason, sample: PressureSample): string {
  switch (reason) {
    case 'backlog':
      return `${countOf(sample.backlog ?? 0, 'check-in waits', 'check-ins wait')} to be processed`
    case 'memory':
      return `Redis uses ${Math.round((sample.memoryShare ?? 0) * 100)} % of its maxmemory`
    case 'event-loop':
      return `this process is ${Math.round(sample.eventLoopDelayMs ?? 0)} ms behind`
  }
}
