/** A reporter of node's runner that prints the failed tests alone, each as a line of JSON, the innermost first. */
export default async function* firstFailure(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.todo !== undefined) continue
    const { message, cause } = data.details?.error ?? {}
    const said = cause?.message ?? message ?? ''
    yield `${JSON.stringify({ title: data.name, said: String(said).split('\n')[0] })}\n`
  }
}
