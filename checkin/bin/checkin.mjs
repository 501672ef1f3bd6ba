#!/usr/bin/env node
/** The service's command: `npx checkin COMMAND`. */
import { launch } from 'millrace-ops/launch'

await launch('checkin', import.meta.url)
