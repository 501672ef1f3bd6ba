/** What rarely changes of a group: its keys, its server, what this console was started with. */
import type { About, GroupSettings } from '../../../../src/console/wire.ts'
import { groupIn } from '../../reader/route.ts'
import { useAnswer, useLive } from '../../live/use.ts'
import { Copy } from '../../parts/copy.tsx'
import { Failed, Loading } from '../../parts/states.tsx'
import { bytes, count } from '../../words/format.ts'
import { GroupFrame } from './group-frame.tsx'

export function Settings({ query }: { query: URLSearchParams }) {
  return (
    <GroupFrame query={query} tab="/group/settings">
      {({ group }) => (
        <>
          {group.isManaged ? (
            <Keys query={query} />
          ) : (
            <p class="soft">
              No consumer of Millrace has worked on this group: it has no keys of its own.
            </p>
          )}
          <Server />
          <ThisConsole />
        </>
      )}
    </GroupFrame>
  )
}

function Keys({ query }: { query: URLSearchParams }) {
  const asked = useAnswer<GroupSettings>('group', { ...groupIn(query) })
  return (
    <section aria-labelledby="h-keys">
      <div class="head">
        <h2 id="h-keys">Keys</h2>
        <span class="note">what Redis holds of this group</span>
      </div>
      {asked.kind === 'loading' && <Loading what="keys" columns={2} />}
      {asked.kind === 'failed' && <Failed what="keys" error={asked.error} retry={asked.retry} />}
      {asked.kind === 'answered' && (
        <dl class="kv wide">
          {asked.answer.keys.map(({ key, is }) => (
            <>
              <dt key={key}>{is}</dt>
              <dd class="mono">
                {key} <Copy text={key} what={`the key of ${is}`} />
              </dd>
            </>
          ))}
        </dl>
      )}
    </section>
  )
}

function Server() {
  const { view } = useLive()
  const server = view?.server ?? null
  if (server === null) return <p class="soft">This user of Redis may not ask for INFO.</p>
  return (
    <section aria-labelledby="h-server">
      <div class="head">
        <h2 id="h-server">Server</h2>
      </div>
      <dl class="facts">
        <Fact label="Product" value={`${server.product} ${server.version}`} />
        <Fact label="Role" value={server.role} />
        <Fact label="Memory" value={bytes(server.usedMemoryBytes)} />
        <Fact
          label="Limit of memory"
          value={server.maxMemoryBytes === 0 ? 'none' : bytes(server.maxMemoryBytes)}
        />
        <Fact label="At the limit" value={server.evictionPolicy} />
        <Fact label="Append-only file" value={server.isAppendOnly ? 'on' : 'off'} />
        <Fact label="Clients" value={count(server.connectedClients)} />
      </dl>
    </section>
  )
}

function ThisConsole() {
  const asked = useAnswer<About>('about', {})
  if (asked.kind !== 'answered') return null
  const { url, version, masked, environment } = asked.answer
  return (
    <section aria-labelledby="h-console">
      <div class="head">
        <h2 id="h-console">This console</h2>
      </div>
      <dl class="facts">
        <Fact label="Redis" value={url} />
        <Fact label="Version" value={version} />
        <Fact label="Environment" value={environment ?? 'not named'} />
        <Fact label="Masked fields" value={masked.length === 0 ? 'none' : masked.join(', ')} />
        <Fact label="Changes data" value="never" />
      </dl>
    </section>
  )
}

function Fact({ label, value }: { label: string; value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  )
}
