import { useState } from 'preact/hooks'
import { Mark } from './icons.tsx'

/** Copies a text; where the browser does not let it, one selects it by hand. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [said, say] = useState('')
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => say('Copied'),
      () => say('Cannot copy here: select it'),
    )
  }
  return (
    <>
      <button
        class="quiet icon"
        type="button"
        aria-label={`Copy ${what}`}
        title={said}
        onClick={copy}
      >
        <Mark name="copy" />
      </button>
      <span class="vh" role="status">
        {said}
      </span>
    </>
  )
}

/** A command line to copy. */
export function CommandLine({ line }: { line: string }) {
  return (
    <div class="cli">
      <code>{line}</code>
      <Copy text={line} what="the command" />
    </div>
  )
}
