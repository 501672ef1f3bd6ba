/** A command of ours as whoever reads a text can type it. */

/** What is an npm script, too. */
const scripts = [
  'start',
  'redis',
  'load',
  'reindex',
  'checkinreceiver',
  'checkinprocessor',
  'checkingroupprocessor',
  'checkingenerator',
]

/**
 * By an npm script where there is one, like `npm run load -- --replace`, but where npx called us; else by npx:
 * `npx checkin groups create`.
 * @param line name of the command and its arguments, like `groups create`
 */
export function typed(line: string, env: NodeJS.ProcessEnv = process.env): string {
  const [command = '', ...args] = line.split(' ')
  if (env.npm_command === 'exec' || !scripts.includes(command)) return `npx checkin ${line}`
  const script = command === 'start' ? 'npm start' : `npm run ${command}`
  return [script, ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
}

/** How one more processor is started, at full speed. */
export const typedProcessor = (env: NodeJS.ProcessEnv = process.env): string =>
  env.npm_command === 'exec'
    ? 'npx checkin group-processor NAME'
    : 'npm run checkingroupprocessor NAME -- --work none'
