/** An npm script that is a command of npx now: says where it went, and runs it. Goes with the next version. */
const [name] = process.argv.slice(2)
console.error(`npm run ${name} is now: npx checkin ${name}`)
await import('../checkin/src/main.ts')
