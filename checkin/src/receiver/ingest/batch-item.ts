/** One check-in of a batch: how it is read, and how its result is told. */
import type { FastifyRequest } from 'fastify'
import type { AppendOutcome, BatchItem } from 'millrace'
import type { Checkin, CheckinModel } from '../../domain/checkins.ts'
import { checkinSchema, readCheckin } from './checkin-body.ts'
import { entryIdSchema, jsonSchemaOf, type JsonSchema } from '../http/documentation.ts'
import {
  heldBack,
  clientIdText,
  keyLengthMax,
  keyReused,
  scopedKey,
  tooManyKeys,
} from './idempotency-key.ts'
import { refusalFor } from '../access/identity.ts'
import type { ReceiverMetrics } from '../metrics/metrics.ts'
import { invalidProblem, plainProblem, type Problem } from '../http/problem.ts'

export type CheckinItem = BatchItem<CheckinModel['checkins']['fields']>

/** What became of one check-in. */
export type ItemResult = { readonly index: number; readonly status: number } & (
  { readonly id: string; readonly replayed?: true } | { readonly problem: Problem }
)

/** Who sends the batch, and the key of the whole batch if it has one. */
export interface Sender {
  readonly identity: FastifyRequest['identity']
  readonly batchKey?: string | undefined
  /** Is called for each check-in of another user than the sender's. */
  readonly onAnotherUser: () => void
}

/** Checks one item. `clientId` is what its `Idempotency-Key` would be, were it sent alone. */
export function readItem(
  value: unknown,
  index: number,
  { identity, batchKey, onAnotherUser }: Sender,
): { readonly item: CheckinItem } | { readonly problem: Problem } {
  const body = readCheckin(value)
  if (body.kind === 'invalid') {
    return { problem: invalidProblem('Check-in is not valid', body.errors) }
  }
  const { clientId } = value as { clientId?: string }
  if (clientId !== undefined && !clientIdText.safeParse(clientId).success) {
    return { problem: wrongClientId }
  }
  if (Object.hasOwn(value as object, '__proto__')) return { problem: prototypes }
  const values: Checkin = body.checkin
  const problem = identity === null ? undefined : refusalFor({ identity }, values.userId)
  if (problem !== undefined) {
    onAnotherUser()
    return { problem }
  }
  const key = clientId ?? (batchKey === undefined ? undefined : `${batchKey}/${index}`)
  return {
    item: key === undefined ? { values } : { values, idempotencyKey: scopedKey(identity, key) },
  }
}

/** The result of an item that was sent to the store. */
export function resultOf(outcome: AppendOutcome, index: number): ItemResult {
  switch (outcome.kind) {
    case 'appended':
      return { index, status: 202, id: outcome.id }
    case 'replayed':
      return { index, status: 202, id: outcome.id, replayed: true }
    case 'mismatch':
      return problemResult(keyReused, index)
    case 'keys-full':
      return problemResult(tooManyKeys, index)
    case 'held-back':
      return problemResult(heldBack, index)
  }
}

/** Counts what was sent to the store, for the answer to its request. */
export function countOutcomes(
  metrics: Pick<ReceiverMetrics, 'ingestedItems'>,
  reply: object,
  outcomes: readonly AppendOutcome[],
): void {
  let [accepted, replayed, duplicate, heldBackCount, unavailable] = [0, 0, 0, 0, 0]
  for (const { kind } of outcomes) {
    if (kind === 'appended') accepted += 1
    else if (kind === 'replayed') replayed += 1
    else if (kind === 'mismatch') duplicate += 1
    else if (kind === 'keys-full') unavailable += 1
    else heldBackCount += 1
  }
  metrics.ingestedItems(reply, 'accepted', accepted)
  metrics.ingestedItems(reply, 'replayed', replayed)
  metrics.ingestedItems(reply, 'duplicate', duplicate)
  metrics.ingestedItems(reply, 'held-back', heldBackCount)
  metrics.ingestedItems(reply, 'unavailable', unavailable)
}

export function problemResult(problem: Problem, index: number): ItemResult {
  return { index, status: problem.status, problem }
}

const wrongClientId = invalidProblem('Check-in is not valid', [
  {
    pointer: '#/clientId',
    detail: `must be a text of 1 to ${keyLengthMax} characters without control characters`,
  },
])
const prototypes = plainProblem(400, 'A field may not be named "__proto__"')

/** What `readItem` takes. */
export const itemSchema: JsonSchema = {
  ...checkinSchema,
  properties: {
    ...checkinSchema.properties,
    clientId: jsonSchemaOf(clientIdText),
  },
}

const problemOfItem = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: { type: 'array', items: { type: 'object' } },
  },
  additionalProperties: false,
}
const index = { type: 'integer', minimum: 0, description: 'Place in the batch, from 0' }

/** An `ItemResult`. */
export const resultSchema: JsonSchema = {
  oneOf: [
    {
      type: 'object',
      title: 'Recorded',
      required: ['index', 'status', 'id'],
      properties: {
        index,
        status: { type: 'integer', const: 202 },
        id: entryIdSchema,
        replayed: { const: true, description: 'It was recorded by an earlier request' },
      },
      additionalProperties: false,
    },
    {
      type: 'object',
      title: 'Refused',
      required: ['index', 'status', 'problem'],
      properties: {
        index,
        status: { type: 'integer', minimum: 400, description: 'That of the problem' },
        problem: problemOfItem,
      },
      additionalProperties: false,
    },
  ],
}
