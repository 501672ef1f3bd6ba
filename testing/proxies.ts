/** Reverse proxies as Debian has them, for the tests of what clients see through one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAtExit, removeAtExit } from './clean-up-at-exit.ts'
import { programFile } from './programs.ts'
import { freePort } from './redis-servers.ts'
import { waitFor } from './wait-for.ts'

export type ProxyKind = 'nginx' | 'haproxy'

/** A proxy that runs in a process of its own. */
export interface ReverseProxy {
  readonly url: string
  /** What it has printed up to now. */
  readonly log: () => string
  stop(): Promise<void>
}

/** Starts a proxy in front of servers on these ports of the loopback; it is killed with the test process. */
export async function startReverseProxy(
  kind: ProxyKind,
  ports: readonly number[],
): Promise<ReverseProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-proxy-'))
  removeAtExit(folder)
  const port = await freePort()
  const file = join(folder, 'proxy.conf')
  writeFileSync(file, configurations[kind](port, ports, folder))
  const args = kind === 'nginx' ? ['-p', folder, '-e', 'stderr', '-c', file] : ['-db', '-f', file]
  const child = spawn(programFile(kind) ?? kind, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  killAtExit(child)
  let log = ''
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text: string) => (log += text))
  }
  await waitFor(async () => (await isListening(port)) || child.exitCode !== null, {
    what: `${kind} to listen`,
  })
  if (child.exitCode !== null) throw new Error(`${kind} has ended:\n${log}`)
  return {
    url: `http://127.0.0.1:${port}`,
    log: () => log,
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** As docs/operations.md has them, but for TLS and for shorter times. */
const configurations = {
  nginx: (port: number, servers: readonly number[], folder: string) => `
daemon off;
master_process off;
pid ${folder}/pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream checkins {
    least_conn;
    ${servers.map((server) => `server 127.0.0.1:${server} max_fails=1 fail_timeout=1s;`).join('\n    ')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://checkins;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host localhost;
      proxy_next_upstream error timeout;
      proxy_request_buffering off;
    }
  }
}
`,
  haproxy: (port: number, servers: readonly number[]) => `
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout check 10s
  retries 3
  option redispatch
frontend checkins
  bind 127.0.0.1:${port}
  default_backend receivers
backend receivers
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host localhost
  default-server check inter 200ms fall 2 rise 1
  ${servers.map((server, at) => `server r${at + 1} 127.0.0.1:${server}`).join('\n  ')}
`,
} satisfies Record<ProxyKind, (port: number, servers: readonly number[], folder: string) => string>

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
