#!/usr/bin/env node
/** The operator's command: `npx millrace COMMAND`. */
import '../dist/main.js'
