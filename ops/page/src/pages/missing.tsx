import { hrefOf } from '../reader/route.ts'
import { Empty } from '../parts/states.tsx'

/** An address that is none of ours. */
export function Missing() {
  return (
    <Empty isWhole title="There is no such page">
      <p>The address may be mistyped, or of another version.</p>
      <p>
        <a href={hrefOf('/')}>Go to the overview</a>
      </p>
    </Empty>
  )
}
