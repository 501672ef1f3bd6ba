/** Where a location is, in degrees, as the geo index of Redis can hold it. */
export interface Position {
  /** -180 up to, but not including, 180. */
  readonly lng: number
  /** -85.05112878 to 85.05112878: what Web Mercator covers. */
  readonly lat: number
}

export const lngMax = 180
export const latMax = 85.05112878

// A hundred-millionth of a degree: a millimetre.
const least = 1e-8

/**
 * The position of these degrees; undefined when the index cannot hold it.
 * Both upper ends would overflow in the cells of the index, and GEOSEARCH not find their neighbours: 180 becomes -180, the
 * same meridian, and the northernmost latitude moves by a millimetre.
 */
export function positionAt(lng: number, lat: number): Position | undefined {
  if (!(Math.abs(lng) <= lngMax) || !(Math.abs(lat) <= latMax)) return undefined
  return { lng: lng === lngMax ? -lngMax : lng, lat: Math.min(lat, latMax - least) }
}

const pattern = /^(-?\d{1,3}(?:\.\d+)?),(-?\d{1,2}(?:\.\d+)?)$/

/** Reads the field `location` of a location's hash, `"longitude,latitude"`; undefined when it is no position. */
export function readPosition(field: unknown): Position | undefined {
  const [, lng, lat] = (typeof field === 'string' ? pattern.exec(field) : null) ?? []
  return lng === undefined ? undefined : positionAt(Number(lng), Number(lat))
}
