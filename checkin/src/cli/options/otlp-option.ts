import { InvalidArgumentError, Option } from 'commander'

/** Where traces are sent. */
export function otlpOption(): Option {
  return new Option(
    '--otlp <url>',
    'send traces to this collector, like http://localhost:4318 (default: OTEL_EXPORTER_OTLP_ENDPOINT; without it none)',
  ).argParser(collectorUrl)
}

function collectorUrl(text: string): string {
  const isWeb = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
  if (!isWeb)
    throw new InvalidArgumentError('Allowed is an address that begins with http:// or https://.')
  return text
}
