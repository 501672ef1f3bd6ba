/**
 * Flags that stood before `--` and that npm took for itself, as it leaves them in the environment of a script.
 * @param {string} script only when it is this one that npm runs
 * @param {RegExp} pattern of the flags that the script knows, without `--`
 */
export function flagsTakenByNpm(script, pattern) {
  if (process.env.npm_lifecycle_event !== script) return []
  return Object.entries(process.env).flatMap(([name, value]) => {
    const flag = name.replace(/^npm_config_/, '').replaceAll('_', '-')
    if (!name.startsWith('npm_config_') || !value || !pattern.test(flag)) return []
    return [value === 'true' ? `--${flag}` : `--${flag}=${value}`]
  })
}
