/** The part of luaparse that is used here; what `@types/luaparse` has is of an older version. */
declare module 'luaparse' {
  export interface Node {
    readonly type: string
    readonly range: readonly [number, number]
    /** Children and values, which differ from type to type. */
    readonly [key: string]: unknown
  }
  interface Options {
    readonly luaVersion: '5.1'
    readonly ranges: true
    readonly comments: false
    /** Lists the names that a chunk uses and does not define, as its `globals`. */
    readonly scope?: true
  }
  /** `parse` throws a SyntaxError with line and column. */
  const luaparse: { readonly parse: (text: string, options: Options) => Node }
  export default luaparse
}
