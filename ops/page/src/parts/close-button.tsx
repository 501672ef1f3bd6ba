import { Mark } from './icons.tsx'

/** Closes what floats or stands beside a list. */
export function CloseButton({ onClose }: { onClose: () => void }) {
  return (
    <button class="quiet icon" type="button" aria-label="Close (Esc)" onClick={onClose}>
      <Mark name="close" />
    </button>
  )
}
