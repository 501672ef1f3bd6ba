import { useEffect, useRef } from 'preact/hooks'
import { CloseButton } from '../parts/close-button.tsx'

const keys = [
  ['g o', 'overview'],
  ['g c', 'consumers of the group'],
  ['g p', 'pending entries'],
  ['g d', 'dead letters'],
  ['g x', 'doctor'],
  ['g s', 'streams'],
  ['g e', 'look up an entry'],
  ['/', 'filter'],
  ['j k', 'next row, row before'],
  ['Enter', 'open the row'],
  ['Esc', 'close'],
  ['[ ]', 'tab before, tab after'],
  ['Space', 'pause the live view'],
  ['t', 'theme'],
  ['u', 'UTC or local time'],
  ['?', 'this help'],
] as const

/** The keys of the page. */
export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog class="dialog" ref={dialog} aria-labelledby="h-help" onClose={onClose}>
      <div class="dh rowx">
        <h2 id="h-help">Keys</h2>
        <span class="grow" />
        <CloseButton onClose={() => dialog.current?.close()} />
      </div>
      <div class="body">
        <dl class="kv">
          {keys.map(([key, does]) => (
            <>
              <dt key={key}>
                <kbd>{key}</kbd>
              </dt>
              <dd>{does}</dd>
            </>
          ))}
        </dl>
        <p class="why">
          Keys are off while you type. No single key changes data; this console changes none at all.
        </p>
      </div>
    </dialog>
  )
}
