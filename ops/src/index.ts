/** The operator's commands for a service: what it adds its own to. */
export { operatorCommands } from './cli/catalogue.ts'
export { withRemedy } from './place/remedies.ts'
export type { Finding, Severity } from './doctor/finding.ts'
export type { Examined, Knowledge, NamedReader, Noun, Service, Words } from './service.ts'
