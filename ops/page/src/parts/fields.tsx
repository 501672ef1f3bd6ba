/** Fields of entries. Others wrote them: they are shown as text, and nothing else. */
import type { ShownField } from '../../../src/console/wire.ts'
import { count, countOf } from '../words/format.ts'

/** On one line, for a list. */
export function FieldsLine({ fields }: { fields: readonly ShownField[] | null }) {
  if (fields === null) return <span class="dim">deleted from the stream</span>
  return (
    <>
      {fields.map(({ name, value, isMasked }, at) => (
        <span key={at}>
          <span class="dim">{name}</span> {isMasked ? '••••' : value}{' '}
        </span>
      ))}
    </>
  )
}

/** All of them, each with its name. */
export function FieldsTable({ fields }: { fields: readonly ShownField[] }) {
  const size = fields.reduce((sum, { name, length }) => sum + name.length + length, 0)
  return (
    <div>
      <h3>
        Payload{' '}
        <span class="dim">
          {countOf(fields.length, 'field')}, {countOf(size, 'character')}
        </span>
      </h3>
      <dl class="kv">
        {fields.map((field, at) => (
          <Field key={at} {...field} />
        ))}
      </dl>
    </div>
  )
}

function Field({ name, value, length, isMasked }: ShownField) {
  const isCut = !isMasked && value.length < length
  return (
    <>
      <dt>{name}</dt>
      <dd class="mono">
        {isMasked ? (
          <>
            •••• <span class="dim">masked</span>
          </>
        ) : (
          value
        )}
        {isCut && <span class="dim"> … {count(length)} characters</span>}
      </dd>
    </>
  )
}
