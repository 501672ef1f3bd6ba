export function flagsTakenByNpm(script: string, pattern: RegExp): string[]
