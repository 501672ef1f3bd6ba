/** How a command was called: by an npm script of its name, or directly. */

export interface Call {
  /** What stands before its arguments: `npm run trim --`, `checkin trim`. */
  readonly usage: string
  /** npm, when it has looked for flags of its own among ours. */
  readonly npm: 'script' | 'exec' | undefined
}

/**
 * @param name of the command, as it was typed or stands in the script
 * @param program that it belongs to: `checkin`
 */
export function callOf(name: string, program: string, env: NodeJS.ProcessEnv): Call {
  // A command that another script of npm starts got its arguments from there, and not from npm.
  if (env.npm_lifecycle_event === name) {
    return { usage: name === 'start' ? 'npm start --' : `npm run ${name} --`, npm: 'script' }
  }
  const isExec = env.npm_command === 'exec' && env.npm_lifecycle_event === 'npx'
  return { usage: `${program} ${name}`, npm: isExec ? 'exec' : undefined }
}
