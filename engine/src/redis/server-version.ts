/**
 * The version in the reply of INFO when it is older than Redis 7.0, which lacks what the scripts need; undefined when it
 * is not. Valkey reports the Redis version that it is compatible with, 7.2.4, so it passes.
 */
export function tooOldVersion(info: string): string | undefined {
  const version = /^redis_version:((\d+)\.\S+)/m.exec(info)
  return version !== null && Number(version[2]) < 7 ? version[1] : undefined
}
