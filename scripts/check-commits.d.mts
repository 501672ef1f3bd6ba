/** What is wrong with the message of a commit, one sentence each. */
export function problemsOf(message: string): string[]
