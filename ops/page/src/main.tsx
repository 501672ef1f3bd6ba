/** Begins the page. */
import { render } from 'preact'
import { App } from './frame/app.tsx'
import { listenForKeys } from './reader/keys.ts'
import { followLinks } from './reader/route.ts'
import { applyTheme } from './reader/settings.ts'
import { line } from './live/use.ts'
import './style/index.css'

applyTheme()
followLinks()
listenForKeys()
line.start()
const app = document.getElementById('app')
if (app !== null) render(<App />, app)
