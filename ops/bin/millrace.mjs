#!/usr/bin/env node
/** The operator's command: `npx millrace COMMAND`. */
import { launch } from './launch.mjs'

await launch('millrace', import.meta.url)
