import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from '../scripts/check-commits.mjs'

const good = 'Refuse a lease of a pause\n\nIts name would be a key of its own.\n'

test('a commit has a short subject, an empty line and a body that says why', () => {
  assert.deepEqual(problemsOf(good), [])
  assert.deepEqual(problemsOf(`${good}# Please enter the message\n`), [])
  assert.deepEqual(problemsOf("Merge branch 'main'"), [])
  const wrong: readonly [message: string, problem: RegExp][] = [
    [good.replace('Refuse', 'Refuse '.repeat(10)), /^the subject has 89 characters, over 65$/],
    [good.replace('Refuse', 'refuse'), /capital letter/],
    [good.replace('pause', 'pause.'), /punctuation mark/],
    [good.replace('\n\n', '\n'), /no empty line/],
    ['Refuse a lease of a pause\n\n\n', /^no body says why$/],
    [`${good}${'and '.repeat(30)}\n`, /^a line of the body has \d+ characters, over 100$/],
  ]
  for (const [message, problem] of wrong) {
    assert.match(problemsOf(message).join(), problem)
  }
  assert.deepEqual(problemsOf(`${good}https://example.org/${'x'.repeat(100)}\n`), [])
})
