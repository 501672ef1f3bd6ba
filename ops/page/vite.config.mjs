/** Builds the console's page into `ops/dist/page`, from where the console serves it at whatever address it is mounted. */
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/page',
    emptyOutDir: true,
    // light-dark() stays as it is written.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // A data: URL or a script within the page would need a weaker policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  logLevel: 'warn',
})
