/** The console, to be mounted in a server of one's own. */
export { consolePage, type ConsoleOptions } from './console/console.ts'
