import { average, count, first, latest, max, min, sum, type Operator } from 'millrace'

type OneOfEach<Name extends string> = {
  readonly [Kind in Operator['kind']]: Extract<Operator<Name>, { readonly kind: Kind }>
}

/**
 * One operator of each kind, by its kind: what the laws hold for. The compiler asks for each, so that none goes without them.
 * @param number an integer field of the entry
 * @param text a text field of it
 */
export function oneOfEach<Name extends string>(number: Name, text: Name): OneOfEach<Name> {
  return {
    count: count(),
    sum: sum(number),
    min: min(number),
    max: max(number),
    first: first(text),
    latest: latest(number),
    average: average('sum', 'count'),
  }
}
