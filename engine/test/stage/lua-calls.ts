import type { TestContext } from 'node:test'
import type { Bench } from '../../../testing/on-each-server.ts'
import { composed, runScript } from './script-calls.ts'
import { openConnection } from './connections.ts'

/** Calls a function of the shared parts with each list of values; what it returns, as text: nil is empty, a number has a "#". */
export async function luaCalls(t: TestContext, { server }: Bench) {
  const connection = await openConnection(t, server.url)
  return async (body: string, calls: readonly unknown[]): Promise<string[]> => {
    const source = `#!lua flags=allow-oom
-- @include parts/checks
-- @include parts/integers
-- @include parts/decode

local function call(a, b, c) ${body} end
local function shown(value)
  if value == nil then return '' end
  return type(value) == 'number' and '#' .. string.format('%.0f', value) or tostring(value)
end
local all = {}
for at, values in ipairs(cjson.decode(ARGV[1])) do
  local first, second = call(unpack(values))
  all[at] = shown(first) .. (second and ' ' .. shown(second) or '')
end
return all`
    const reply = await runScript(connection, composed(source), [], [JSON.stringify(calls)])
    return reply.map(String)
  }
}
