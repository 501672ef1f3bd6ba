/**
 * Holds commits to what CONTRIBUTING.md asks of them. `node scripts/check-commits.mjs [RANGE]`: default all since this file came,
 * and without them the last one. `--message FILE`: one message, as a hook gets it. Ends with 1 when one is wrong.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const subjectMax = 65
const lineMax = 100

/** What is wrong with a message, one sentence each. Those that git writes itself, for merges and reverts, are left alone. */
export function problemsOf(message) {
  const [subject = '', second = '', ...body] = message
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trimEnd())
  if (/^(?:Merge|Revert|fixup!|squash!) /.test(subject)) return []
  const long = [second, ...body].find((line) => line.length > lineMax && /\s/.test(line))
  return [
    subject.length > subjectMax &&
      `the subject has ${subject.length} characters, over ${subjectMax}`,
    !/^[A-Z]/.test(subject) && 'the subject does not begin with a capital letter',
    /[.:;,]$/.test(subject) && 'the subject ends with a punctuation mark',
    second !== '' && 'no empty line follows the subject',
    body.every((line) => line === '') && 'no body says why',
    long !== undefined && `a line of the body has ${long.length} characters, over ${lineMax}`,
  ].filter((problem) => problem !== false)
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

function commits(range) {
  return git('rev-list', '--no-merges', ...range)
    .split('\n')
    .filter((commit) => commit !== '')
}

/** Those since the rule; in a shallow clone its beginning may not be there. */
function sinceRule() {
  const own = 'scripts/check-commits.mjs'
  const came = git('log', '--diff-filter=A', '--format=%H', '--', own).split('\n').at(-1)
  const isShallow = git('rev-parse', '--is-shallow-repository') === 'true'
  return came === '' || isShallow ? ['-1', 'HEAD'] : [`${came}..HEAD`]
}

function messages(args) {
  if (args[0] === '--message') return [['this commit', readFileSync(args[1], 'utf8')]]
  const range = args.length > 0 ? args : sinceRule()
  return commits(range).map((commit) => {
    return [commit.slice(0, 10), git('log', '-1', '--format=%B', commit)]
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let hasGit = true
  try {
    git('rev-parse', 'HEAD')
  } catch {
    hasGit = false
  }
  if (!hasGit) {
    console.log('No commits to check: this is no git checkout')
  } else {
    for (const [name, message] of messages(process.argv.slice(2))) {
      for (const problem of problemsOf(message)) {
        console.error(`${name} "${message.split('\n')[0]}": ${problem}`)
        process.exitCode = 1
      }
    }
  }
}
