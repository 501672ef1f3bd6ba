import type { View } from '../../../src/console/wire.ts'
import { hrefOf } from '../reader/route.ts'
import { Status } from '../parts/icons.tsx'
import { attentionOf } from '../words/attention.ts'
import { count } from '../words/format.ts'

const shownMax = 8

/** What needs somebody, the worst first. Nothing is shown where nothing does. */
export function AttentionList({ view }: { view: View }) {
  const all = attentionOf(view)
  if (all.length === 0) return null
  return (
    <section aria-labelledby="h-todo">
      <div class="head">
        <h2 id="h-todo">Needs attention</h2>
        <span class="note">
          {all.length > shownMax ? `${count(shownMax)} of ${count(all.length)}, ` : ''}worst first
        </span>
      </div>
      <ul class="todo">
        {all
          .slice(0, shownMax)
          .map(({ key, shape, word, group, stream, what, more, page, label }) => (
            <li key={key}>
              <Status shape={shape}>{word}</Status>
              <span class="what">
                <a href={hrefOf('/group', { stream, group })}>{group}</a>
                {what} {more !== '' && <span class="dim">{more}</span>}
              </span>
              <span class="act">
                <a
                  class="btn"
                  href={hrefOf(page, { stream, group })}
                  aria-label={`${label}: ${group}`}
                >
                  {label}
                </a>
              </span>
            </li>
          ))}
      </ul>
    </section>
  )
}
