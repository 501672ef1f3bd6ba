/** A command of ours as whoever reads a text can type it. */

/**
 * By an npm script, like `npm run groups -- create`; where npx called us, by it, too: `npx checkin groups create`.
 * @param line name of the command and its arguments, like `groups create`
 */
export function typed(line: string, env: NodeJS.ProcessEnv = process.env): string {
  const [command = '', ...args] = line.split(' ')
  if (env.npm_command === 'exec') return `npx checkin ${line}`
  const script = command === 'start' ? 'npm start' : `npm run ${command}`
  return [script, ...(args.length > 0 ? ['--', ...args] : [])].join(' ')
}

/** How one more processor is started, at full speed. */
export const typedProcessor = (env: NodeJS.ProcessEnv = process.env): string =>
  env.npm_command === 'exec'
    ? 'npx checkin group-processor NAME'
    : 'npm run checkingroupprocessor NAME -- --work none'
